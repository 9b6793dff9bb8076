// What these tests read lies outside this module, where Go's cache of test results does not look: run them with -count=1.
package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const (
	charts = scripts("../../charts/argocd")
	group  = "kyb.dev"
)

// kinds are those of the platform, and whether they have spec.paused.
var kinds = map[string]bool{"KybTenant": true, "RegionDeployment": true, "CachePolicy": true, "RegionReport": false}

// healthTests is what Argo CD reads a health_test.yaml as.
type healthTests struct {
	Tests []struct {
		InputPath    string `json:"inputPath"`
		HealthStatus said   `json:"healthStatus"`
	} `json:"tests"`
}

// actionTests is what Argo CD reads an action_test.yaml as.
type actionTests struct {
	DiscoveryTests []struct {
		InputPath string `json:"inputPath"`
		Result    []struct {
			Name     string `json:"name"`
			Disabled bool   `json:"disabled"`
		} `json:"result"`
	} `json:"discoveryTests"`
	ActionTests []struct {
		Action             string `json:"action"`
		InputPath          string `json:"inputPath"`
		ExpectedOutputPath string `json:"expectedOutputPath"`
	} `json:"actionTests"`
}

// fixture is an object with what is expected of it.
type fixture struct {
	object   *unstructured.Unstructured
	expected said
}

func folder(kind string) string {
	return filepath.Join(string(charts), group, kind)
}

// decode reads a file of YAML; fields that nobody knows are mistakes.
func decode(t *testing.T, into any, path ...string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(content, into); err != nil {
		t.Fatalf("%s: %v", filepath.Join(path...), err)
	}
}

// object reads the one object of a file.
func object(t *testing.T, path ...string) *unstructured.Unstructured {
	t.Helper()
	file, err := os.Open(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	objects, err := read(file)
	if err != nil || len(objects) != 1 {
		t.Fatalf("%s holds %d objects, %v", file.Name(), len(objects), err)
	}
	return objects[0]
}

// fixtures are those of a kind, by file.
func fixtures(t *testing.T, kind string) map[string]fixture {
	t.Helper()
	var tests healthTests
	decode(t, &tests, folder(kind), "health_test.yaml")
	found := map[string]fixture{}
	for _, test := range tests.Tests {
		found[test.InputPath] = fixture{object(t, folder(kind), test.InputPath), test.HealthStatus}
	}
	return found
}

// forEach runs a test on every fixture of every kind.
func forEach(t *testing.T, test func(*testing.T, fixture)) {
	for kind := range kinds {
		for path, fixture := range fixtures(t, kind) {
			t.Run(kind+"/"+path, func(t *testing.T) { test(t, fixture) })
		}
	}
}

func TestEveryFixtureHasItsHealth(t *testing.T) {
	forEach(t, func(t *testing.T, fixture fixture) {
		health, err := charts.health(fixture.object)
		if err != nil {
			t.Fatal(err)
		}
		if health == nil || *health != fixture.expected {
			t.Errorf("expected %+v, found %+v", fixture.expected, health)
		}
	})
}

func TestEveryKindHasEveryCase(t *testing.T) {
	deleted := func(f fixture) bool { return f.object.GetDeletionTimestamp() != nil }
	seen := func(f fixture) int64 {
		generation, _, _ := unstructured.NestedInt64(f.object.Object, "status", "observedGeneration")
		return generation
	}
	cases := map[string]func(fixture) bool{
		"healthy":     func(f fixture) bool { return f.expected.Status == "Healthy" },
		"degraded":    func(f fixture) bool { return f.expected.Status == "Degraded" },
		"terminating": deleted,
		"no status": func(f fixture) bool {
			return f.object.Object["status"] == nil && f.expected.Status == "Progressing"
		},
		"an old generation": func(f fixture) bool {
			return !deleted(f) && seen(f) > 0 && seen(f) < f.object.GetGeneration() && f.expected.Status == "Progressing"
		},
		"paused": func(f fixture) bool { return f.expected.Status == "Suspended" },
	}
	for kind, pauses := range kinds {
		found := fixtures(t, kind)
		for name, is := range cases {
			var shown bool
			for _, fixture := range found {
				shown = shown || is(fixture)
			}
			if wanted := name != "paused" || pauses; shown != wanted {
				t.Errorf("%s has a fixture for %q: %v, expected %v", kind, name, shown, wanted)
			}
		}
		files, _ := filepath.Glob(filepath.Join(folder(kind), "testdata", "*"))
		if len(files) != len(found) {
			t.Errorf("%s has %d fixtures, but health_test.yaml names %d", kind, len(files), len(found))
		}
	}
}

// agreed are the healths that go with each status of kstatus.
//
// Two differences are meant. kstatus has no word for a pause, and takes an object that has no status yet for one that is current,
// since it can't know that one will come.
func agreed(kstatus string, object *unstructured.Unstructured) []string {
	switch kstatus {
	case "Failed":
		return []string{"Degraded"}
	case "InProgress", "Terminating":
		return []string{"Progressing"}
	case "Current":
		if object.Object["status"] == nil {
			return []string{"Progressing"}
		}
		if paused, _, _ := unstructured.NestedBool(object.Object, "spec", "paused"); paused {
			return []string{"Suspended"}
		}
		return []string{"Healthy"}
	}
	return nil
}

func TestKstatusAndArgoAgree(t *testing.T) {
	forEach(t, func(t *testing.T, fixture fixture) {
		verdict, err := judge(charts, fixture.object)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(agreed(verdict.Kstatus.Status, fixture.object), verdict.Argo.Status) {
			t.Errorf("kstatus says %+v, Argo CD %+v", verdict.Kstatus, *verdict.Argo)
		}
	})
}

// A status as the operator writes it: conditions in order of their types, each of the status's generation, in words that it knows.
func TestFixturesSpeakAsTheOperatorDoes(t *testing.T) {
	source, err := os.ReadFile("../../crds/src/conditions.rs")
	if err != nil {
		t.Fatal(err)
	}
	known := func(word string) bool {
		return regexp.MustCompile(`(?m)^ {8}` + regexp.QuoteMeta(word) + `,$`).Match(source)
	}
	forEach(t, func(t *testing.T, fixture fixture) {
		status, _, _ := unstructured.NestedMap(fixture.object.Object, "status")
		if status == nil {
			return
		}
		var types []string
		list, _ := status["conditions"].([]any)
		for _, entry := range list {
			condition := entry.(map[string]any)
			word, reason := condition["type"].(string), condition["reason"].(string)
			if !known(word) || !known(reason) {
				t.Errorf("%s or %s is no word of the operator", word, reason)
			}
			if condition["observedGeneration"] != status["observedGeneration"] {
				t.Errorf("%s is of generation %v, the status of %v", word, condition["observedGeneration"], status["observedGeneration"])
			}
			if while := word == "Reconciling" || word == "Stalled"; while && condition["status"] != "True" {
				t.Errorf("%s is there only while true", word)
			}
			types = append(types, word)
		}
		if !slices.Contains(types, "Ready") || !slices.IsSorted(types) {
			t.Errorf("Ready is always there, and all are sorted: %v", types)
		}
	})
}

func TestActionsDoWhatTheySay(t *testing.T) {
	for kind, pauses := range kinds {
		if !pauses {
			if _, err := os.Stat(filepath.Join(folder(kind), "actions")); err == nil {
				t.Errorf("%s can't be paused, but has actions", kind)
			}
			continue
		}
		in := filepath.Join(folder(kind), "actions")
		var tests actionTests
		decode(t, &tests, in, "action_test.yaml")
		for _, test := range tests.DiscoveryTests {
			expected := map[string]action{}
			for _, result := range test.Result {
				expected[result.Name] = action{result.Disabled}
			}
			offered, err := charts.actions(object(t, in, test.InputPath))
			if err != nil || !reflect.DeepEqual(offered, expected) {
				t.Errorf("%s, %s: expected %v, found %v, %v", kind, test.InputPath, expected, offered, err)
			}
		}
		tried := map[string]bool{}
		for _, test := range tests.ActionTests {
			changed, err := charts.act(test.Action, object(t, in, test.InputPath))
			if err != nil {
				t.Fatal(err)
			}
			expected := object(t, in, test.ExpectedOutputPath)
			if !reflect.DeepEqual(changed.Object, expected.Object) {
				t.Errorf("%s, %s: expected %v, found %v", kind, test.Action, expected.Object, changed.Object)
			}
			tried[test.Action] = true
		}
		if len(tests.DiscoveryTests) == 0 || !reflect.DeepEqual(tried, map[string]bool{"pause": true, "resume": true}) {
			t.Errorf("%s: not every action is tested: %v", kind, tried)
		}
	}
}

// Each file stands alone, as Argo CD wants it; so nothing but this keeps them the same.
func TestEveryKindIsJudgedByTheSameScript(t *testing.T) {
	for _, file := range []string{"health.lua", "actions/discovery.lua", "actions/pause/action.lua", "actions/resume/action.lua"} {
		texts := map[string][]string{}
		for kind, pauses := range kinds {
			if file != "health.lua" && !pauses {
				continue
			}
			text, err := os.ReadFile(filepath.Join(folder(kind), file))
			if err != nil {
				t.Fatal(err)
			}
			texts[string(text)] = append(texts[string(text)], kind)
		}
		if len(texts) != 1 {
			t.Errorf("%s differs between kinds", file)
		}
	}
}

func TestScriptsGetNothingThatArgoMayWithhold(t *testing.T) {
	for _, script := range []string{
		`return {status = string.upper("a")}`, `return {status = ("a"):upper()}`, `return {status = math.floor(1)}`,
		`return {status = io.read()}`, `return {status = os.getenv("HOME")}`, `return dofile("a")`, `return require("os")`,
		`return {status = `, `return "Healthy"`, `while true do end`,
	} {
		if answer, err := execute(script, nil); err == nil {
			t.Errorf("%s ran and gave %v", script, answer)
		}
	}
}

func TestAHealthThatArgoDoesNotKnowIsAnError(t *testing.T) {
	for script, fails := range map[string]bool{`return {status = "Good"}`: true, `return {status = "Healthy"}`: false} {
		lua := scripts(t.TempDir())
		place := filepath.Join(string(lua), group, "KybTenant")
		if err := os.MkdirAll(place, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(place, "health.lua"), []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
		tenant := object(t, folder("KybTenant"), "testdata/healthy.yaml")
		if _, err := lua.health(tenant); (err != nil) != fails {
			t.Errorf("%s: %v", script, err)
		}
	}
}

func TestTheConfigMapHoldsEveryScript(t *testing.T) {
	rendered, err := exec.Command("bash", filepath.Join(string(charts), "argocd-cm.sh")).Output()
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Data map[string]string `json:"data"`
	}
	if err := yaml.Unmarshal(rendered, &config); err != nil {
		t.Fatal(err)
	}
	file := func(kind, name string) string {
		text, err := os.ReadFile(filepath.Join(folder(kind), name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	expected := map[string]string{}
	for kind, pauses := range kinds {
		expected["resource.customizations.health."+group+"_"+kind] = file(kind, "health.lua")
		if !pauses {
			continue
		}
		key := "resource.customizations.actions." + group + "_" + kind
		var actions any
		if err := yaml.Unmarshal([]byte(config.Data[key]), &actions); err != nil {
			t.Fatal(err)
		}
		wanted := map[string]any{
			"discovery.lua": file(kind, "actions/discovery.lua"),
			"definitions": []any{
				map[string]any{"name": "pause", "action.lua": file(kind, "actions/pause/action.lua")},
				map[string]any{"name": "resume", "action.lua": file(kind, "actions/resume/action.lua")},
			},
		}
		if !reflect.DeepEqual(actions, any(wanted)) {
			t.Errorf("%s: expected %v, found %v", key, wanted, actions)
		}
		expected[key] = config.Data[key]
	}
	if !reflect.DeepEqual(config.Data, expected) {
		t.Errorf("expected %v, found %v", expected, config.Data)
	}
}

// What kubectl prints: documents of YAML, one object of JSON, a list.
func TestObjectsAreReadAsKubectlPrintsThem(t *testing.T) {
	one, err := os.ReadFile(filepath.Join(folder("KybTenant"), "testdata/healthy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	inJSON, err := yaml.YAMLToJSON(one)
	if err != nil {
		t.Fatal(err)
	}
	list := `{"apiVersion": "v1", "kind": "List", "items": [` + string(inJSON) + `, ` + string(inJSON) + `]}`
	for input, lines := range map[string]int{
		"---\n" + string(one) + "---\n---\n" + string(one): 2,
		string(inJSON) + "\n" + string(inJSON):             2,
		list:                                               2,
		"":                                                 0,
	} {
		var out bytes.Buffer
		if err := run(strings.NewReader(input), &out, charts, ""); err != nil {
			t.Fatal(err)
		}
		said := `{"kind":"KybTenant","name":"acme","kstatus":{"status":"Current","message":"Resource is Ready"},` +
			`"argo":{"status":"Healthy","message":"served by us-east-1"},"actions":{"pause":{"disabled":false},"resume":{"disabled":true}}}` + "\n"
		if out.String() != strings.Repeat(said, lines) {
			t.Errorf("%s\ngave\n%s", input, out.String())
		}
	}
}

func TestAnActionPrintsTheChangedObject(t *testing.T) {
	one, err := os.ReadFile(filepath.Join(folder("KybTenant"), "testdata/healthy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(bytes.NewReader(one), &out, charts, "pause"); err != nil {
		t.Fatal(err)
	}
	var changed unstructured.Unstructured
	if err := json.Unmarshal(out.Bytes(), &changed); err != nil {
		t.Fatal(err)
	}
	if paused, _, _ := unstructured.NestedBool(changed.Object, "spec", "paused"); !paused {
		t.Errorf("not paused: %s", out.String())
	}
	if err := run(bytes.NewReader(one), &out, charts, "explode"); err == nil {
		t.Error("an action that there is not was done")
	}
}

// Of a kind without a script Argo CD says what it knows itself, and this program nothing.
func TestAKindWithoutAScriptIsLeftToArgo(t *testing.T) {
	var out bytes.Buffer
	namespace := `{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kyb-system"}}`
	if err := run(strings.NewReader(namespace), &out, charts, ""); err != nil {
		t.Fatal(err)
	}
	expected := `{"kind":"Namespace","name":"kyb-system","kstatus":{"status":"Current","message":"Resource is current"},` +
		`"argo":null,"actions":{}}`
	if strings.TrimSpace(out.String()) != expected {
		t.Errorf("expected %s, found %s", expected, out.String())
	}
}
