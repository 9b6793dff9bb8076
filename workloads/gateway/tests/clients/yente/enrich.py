"""nomenklatura's yente enricher, configured as its users do, against the gateway at KYB_URL with the key in KYB_KEY."""

import os

from followthemoney import Dataset, StatementEntity
from nomenklatura.cache import Cache
from nomenklatura.db import make_session
from nomenklatura.enrich import make_enricher

URL = os.environ["KYB_URL"]

dataset = Dataset.make({"name": "customers", "title": "Customers"})


def entity(schema: str, **properties: str) -> StatementEntity:
    """A customer to look for."""
    data = {"id": "customer-" + schema.lower(), "schema": schema}
    made = StatementEntity.from_data(dataset, data)
    for name, value in properties.items():
        made.add(name, value)
    return made


def check(enricher, customer: StatementEntity, wanted: str, schema: str, **properties: str) -> None:
    """The first match is the wanted entry, and reading it again gives the same."""
    found = list(enricher.match(customer))
    assert found, f"{customer.caption}: nothing was found"
    first = found[0]
    assert first.id == wanted, f"{customer.caption}: {first.id} instead of {wanted}"
    assert first.schema.name == schema, f"{wanted}: {first.schema.name} instead of {schema}"
    for name, value in properties.items():
        assert value in first.get(name), f"{wanted}: {name} is {first.get(name)}, without {value}"
    assert f"{URL}/entities/{wanted}" in first.get("sourceUrl"), first.get("sourceUrl")
    read = list(enricher.expand(customer, first))
    assert [one.id for one in read] == [wanted], read
    assert read[0].get("name") == first.get("name"), read[0].get("name")
    print(f"{customer.caption} -> {wanted} {first.caption}")


def main() -> None:
    session = make_session("sqlite:///:memory:")
    config = {
        "type": "nomenklatura.enrich.yente:YenteEnricher",
        "api": URL + "/",
        "dataset": "default",
        "api_key": os.environ["KYB_KEY"],
        "cache_days": 0,
    }
    enricher = make_enricher(dataset, Cache(session, dataset, create=True), config)
    maduro = entity("Person", name="Nicolás Maduro Moros", birthDate="1962-11-23", nationality="ve")
    check(enricher, maduro, "ofac-sdn.22790", "Person", birthDate="1962-11-23", topics="sanction", country="ve")
    exporter = entity("Company", name="Rosoboronexport", taxNumber="7718852163")
    check(enricher, exporter, "ofac-sdn.18782", "Organization", taxNumber="7718852163", program="SYRIA")
    check(enricher, entity("Vessel", name="Artavil"), "ofac-sdn.15036", "Vessel", imoNumber="9187629")
    check(enricher, entity("Airplane", name="EP-GOM"), "ofac-sdn.15431", "Airplane")
    nobody = list(enricher.match(entity("Person", name="Quentin Zebulon Farquhar")))
    assert nobody == [], nobody
    enricher.close()


main()
