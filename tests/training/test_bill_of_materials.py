from training.bill_of_materials import bill_of_materials


def test_the_bill_holds_what_nativeear_needs_and_what_that_needs() -> None:
    bill = bill_of_materials()
    assert bill["metadata"]["component"]["name"] == "nativeear"
    references = [component["bom-ref"] for component in bill["components"]]
    names = {reference.removeprefix("pkg:pypi/").partition("@")[0] for reference in references}
    assert {"torch", "faiss-cpu", "numpy", "pydantic", "pydantic-core", "starlette"} <= names
    assert len(references) == len(set(references))
    known = {*references, bill["metadata"]["component"]["bom-ref"]}
    for link in bill["dependencies"]:
        assert {link["ref"], *link["dependsOn"]} <= known
    assert all(component["version"] for component in bill["components"])
