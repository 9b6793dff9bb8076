// Watchman's own client against the gateway at KYB_URL with the key in KYB_KEY. The key goes where its users can put one
// without a line of code: into the address.
package watchman

import (
	"context"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/moov-io/watchman/pkg/search"
)

func client(t *testing.T) search.Client {
	t.Helper()
	address, err := url.Parse(os.Getenv("KYB_URL"))
	if err != nil || address.Host == "" {
		t.Fatalf("KYB_URL: %v", err)
	}
	address.User = url.UserPassword("kyb", os.Getenv("KYB_KEY"))
	return search.NewClient(nil, address.String())
}

// find is the first entity for a query.
func find(t *testing.T, query search.Entity[search.Value], opts search.SearchOpts) search.SearchedEntity[search.Value] {
	t.Helper()
	answer, err := client(t).SearchByEntity(context.Background(), query, opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Entities) == 0 {
		t.Fatalf("nothing was found for %q", query.Name)
	}
	return answer.Entities[0]
}

func TestPerson(t *testing.T) {
	born := time.Date(1962, time.November, 23, 0, 0, 0, 0, time.UTC)
	query := search.Entity[search.Value]{
		Type:   search.EntityPerson,
		Person: &search.Person{Name: "Nicolás Maduro Moros", BirthDate: &born, Gender: search.GenderMale},
	}
	found := find(t, query, search.SearchOpts{Limit: 1, MinMatch: 0.9})
	if found.SourceID != "22790" || found.Source != search.SourceUSOFAC || found.Type != search.EntityPerson {
		t.Errorf("another entry: %+v", found.Entity)
	}
	if found.Match < 0.9 || found.Person == nil || found.Person.BirthDate == nil || !found.Person.BirthDate.Equal(born) {
		t.Errorf("score %v, person %+v", found.Match, found.Person)
	}
	if found.SanctionsInfo == nil || len(found.SanctionsInfo.Programs) != 1 || found.SanctionsInfo.Programs[0] != "VENEZUELA" {
		t.Errorf("programmes: %+v", found.SanctionsInfo)
	}
}

func TestBusiness(t *testing.T) {
	query := search.Entity[search.Value]{Name: "Rosoboronexport", Type: search.EntityBusiness}
	found := find(t, query, search.SearchOpts{Limit: 5})
	if found.SourceID != "18782" || found.Business == nil || found.Business.Name != "ROSOBORONEKSPORT OAO" {
		t.Errorf("another entry: %+v", found.Entity)
	}
}

func TestVessel(t *testing.T) {
	query := search.Entity[search.Value]{Name: "Artavil", Type: search.EntityVessel}
	found := find(t, query, search.SearchOpts{Limit: 5})
	if found.SourceID != "15036" || found.Vessel == nil || found.Vessel.IMONumber != "9187629" {
		t.Errorf("another entry: %+v", found.Entity)
	}
	if found.SanctionsInfo == nil || !found.SanctionsInfo.Secondary {
		t.Errorf("secondary sanctions: %+v", found.SanctionsInfo)
	}
}

func TestNobody(t *testing.T) {
	query := search.Entity[search.Value]{Name: "Quentin Zebulon Farquhar", Type: search.EntityPerson}
	answer, err := client(t).SearchByEntity(context.Background(), query, search.SearchOpts{MinMatch: 0.9})
	if err != nil || len(answer.Entities) != 0 {
		t.Errorf("%v, %+v", err, answer.Entities)
	}
}

// A name that can't be searched is an error, not an empty answer.
func TestRefused(t *testing.T) {
	query := search.Entity[search.Value]{Name: "!!", Type: search.EntityPerson}
	if answer, err := client(t).SearchByEntity(context.Background(), query, search.SearchOpts{}); err == nil {
		t.Errorf("no error, %+v", answer)
	}
}

func TestListInfo(t *testing.T) {
	info, err := client(t).ListInfo(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if info.Lists["us_ofac"] < 7000 || len(info.ListHashes["us_ofac"]) != 64 || info.EndedAt.IsZero() || info.Version == "" {
		t.Errorf("%+v", info)
	}
}
