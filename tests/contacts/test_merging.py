"""Merging two contacts, taking them apart, deleting and erasing."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.utils import timezone

from contacts import consent, deletion, duplicates, erasure, merging, people, registry, roles, search
from contacts.models import Account, Consent, Contact, ContactMerge, Interaction, MatchAmbiguity, Purpose, Role
from messaging.models import CaughtMail, Suppression
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope


def contact(**values: object) -> Contact:
    return people.create_contact(values)


def kinds_of(person: Contact) -> list[str]:
    return sorted(Interaction.objects.filter(contact_id=person.pk).values_list("kind", flat=True))


def test_the_survivor_takes_over_rows_timeline_and_what_she_lacks(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        account = people.create_account({"name": "Firm"})
        keep = contact(first_name="Eva", last_name="Kern", email="eva@example.com", city="Ulm")
        other = people.create_contact({"last_name": "Kern", "phone": "+4930901820", "city": "Bonn"}, account=account)
        roles.give(account, other, "champion", by=max_)
        people.write_note("Called", by=max_, contact=other)
        merging.merge(keep, other, by=max_)
        keep.refresh_from_db()
        other.refresh_from_db()
        assert (keep.city, keep.phone, keep.account) == ("Ulm", "+4930901820", account)
        assert (other.is_active, other.merged_into) == (False, keep)
        assert Role.objects.get().contact == keep
        assert "note.written" in kinds_of(keep)
        assert kinds_of(other) == []
        assert search.find("eva kern", kinds=["contact"]) == [("contact", keep.pk)]


def test_taking_apart_gives_everything_back(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        account = people.create_account({"name": "Firm"})
        keep = contact(last_name="Kern", city="Ulm")
        other = people.create_contact({"last_name": "Kern", "email": "eva@example.com"}, account=account)
        roles.give(account, other, "user", by=max_)
        mine, hers = kinds_of(keep), kinds_of(other)
        row = merging.merge(keep, other, by=max_)
        people.write_note("Since then", by=max_, contact=keep)
        merging.undo(ContactMerge.objects.get(pk=row.pk), by=max_)
        keep.refresh_from_db()
        other.refresh_from_db()
        assert (keep.email, keep.account, keep.city) == ("", None, "Ulm")
        assert (other.email, other.is_active, other.merged_into, other.account) == (
            "eva@example.com", True, None, account,
        )  # fmt: skip
        assert Role.objects.get().contact == other
        added = {"contact.merged", "contact.unmerged", "contact.changed", "note.written"}
        assert [kind for kind in kinds_of(keep) if kind not in added] == [kind for kind in mine if kind not in added]
        assert [kind for kind in kinds_of(other) if kind not in added] == [kind for kind in hers if kind not in added]
        assert search.find("eva", kinds=["contact"]) == [("contact", other.pk)]
        with pytest.raises(merging.CannotUndo):
            merging.undo(row, by=max_)


def test_merges_of_merges_are_taken_apart_along_the_tree(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        first, second, third = (contact(last_name=name) for name in ("One", "Two", "Three"))
        merging.merge(second, third, by=max_)
        outer = merging.merge(first, second, by=max_)
        assert Interaction.objects.filter(contact_id=first.pk, kind="contact.created").count() == 3
        merging.undo(ContactMerge.objects.get(pk=outer.pk), by=max_)
        created = Interaction.objects.filter(kind="contact.created")
        assert created.filter(contact_id=second.pk).count() == 2
        assert created.filter(contact_id=first.pk).count() == 1


def test_what_the_survivor_has_already_stays_where_it_is(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        account = people.create_account({"name": "Firm"})
        keep, other = contact(last_name="A"), contact(last_name="B")
        roles.give(account, keep, "user")
        roles.give(account, other, "user")
        roles.give(account, other, "champion")
        row = merging.merge(keep, other, by=max_)
        assert set(keep.roles.values_list("kind", flat=True)) == {"user", "champion"}
        merging.undo(row, by=max_)
        assert set(other.roles.values_list("kind", flat=True)) == {"user", "champion"}
        assert set(keep.roles.values_list("kind", flat=True)) == {"user"}


@pytest.mark.parametrize("refuser", ["keep", "other"])
def test_the_strictest_consent_of_both_holds_and_is_given_back(refuser: str, acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        news = Purpose.objects.create(key="news", name="News")
        keep, other = contact(email="a@example.com"), contact(email="b@example.com")
        both = {"keep": keep, "other": other}
        consent.refuse(both.pop(refuser), news, source="link")
        (granter,) = both.values()
        consent.grant(granter, news, basis="form", source="form")
        row = merging.merge(keep, other, by=max_)
        keep.refresh_from_db()
        assert [state.is_refused for state in consent.state_of(keep)] == [True]
        assert keep.consent_level == 0
        merging.undo(row, by=max_)
        granter.refresh_from_db()
        assert granter.consent_level == 4
        assert Consent.objects.count() == 2


def test_a_wish_not_to_be_mailed_survives_the_merge(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        keep, other = contact(last_name="A"), contact(last_name="B", do_not_email=True)
        merging.merge(keep, other, by=max_)
        keep.refresh_from_db()
        assert keep.do_not_email


def test_tables_that_are_computed_are_left_alone(acme: Tenant, max_: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    with tenant_scope(acme):
        account = people.create_account({"name": "Firm"})
        keep, other = contact(last_name="A"), contact(last_name="B")
        roles.give(account, other, "user")
        monkeypatch.setattr(registry, "computed", {"contacts.Role"})
        merging.merge(keep, other, by=max_)
        assert Role.objects.get().contact == other


def test_what_is_named_as_computed_exists() -> None:
    assert {"scoring.Score", "scoring.ScoreEntry"} <= registry.computed
    assert all(apps.get_model(label) for label in registry.computed)


def test_a_merge_answers_the_ambiguity(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        keep, other = contact(last_name="A"), contact(last_name="B")
        MatchAmbiguity.objects.create(chosen=keep, others=[other.pk], reason="phone")
        merging.merge(keep, other, by=max_)
        assert MatchAmbiguity.objects.get().resolved_at is not None


def test_an_ignored_ambiguity_is_not_shown_again(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        keep, other = contact(last_name="A"), contact(last_name="B")
        row = MatchAmbiguity.objects.create(chosen=keep, others=[other.pk], reason="phone")
        (shown,) = duplicates.page({}).rows
        assert shown.candidates == [other]
        duplicates.ignore(row, by=max_)
        assert duplicates.page({}).rows == []


def test_deleting_takes_a_contact_out_of_search_and_restoring_brings_her_back(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        eva = contact(last_name="Kern", email="eva@example.com")
        assert deletion.deactivate(eva, by=max_)
        assert not deletion.deactivate(eva, by=max_)
        assert search.find("kern") == []
        eva.refresh_from_db()
        deletion.restore(eva, by=max_)
        assert search.find("kern") == [("contact", eva.pk)]


def test_a_restored_contact_cannot_take_an_address_from_another(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        eva = contact(email="eva@example.com")
        deletion.deactivate(eva, by=max_)
        contact(email="eva@example.com")
        with pytest.raises(deletion.AddressTaken):
            deletion.restore(eva, by=max_)


def test_erasure_leaves_numbers_without_the_person(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        keep, other = contact(last_name="Kern", email="eva@example.com"), contact(last_name="Kern", phone="+4930901820")
        people.write_note("Her secret", by=max_, contact=other)
        people.update_contact(keep, {"city": "Ulm"}, by=max_)
        merging.merge(keep, other, by=max_)
        rows = Interaction.objects.count()
        assert erasure.erase([keep.pk], by=max_) == 2
        assert not Contact.objects.exists()
        assert Interaction.objects.count() == rows
        assert not Interaction.objects.exclude(contact_id=None, as_contact_id=None).exists()
        left = " ".join(str(detail) for detail in Interaction.objects.values_list("detail", flat=True))
        assert "secret" not in left
        assert "Ulm" not in left
        assert "Kern" not in left
        assert search.find("kern") == []


def test_whoever_was_deleted_thirty_days_ago_is_erased_by_the_clock(
    acme: Tenant, rival: Tenant, max_: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[registry.Erased] = []
    monkeypatch.setattr(registry, "erasers", [registry.Eraser(told.append, {})])
    with tenant_scope(acme):
        old, new = contact(email="old@example.com"), contact(email="new@example.com")
        for person in (old, new):
            deletion.deactivate(person, by=max_)
        Contact.objects.filter(pk=old.pk).update(deactivated_at=timezone.now() - timedelta(days=31))
    erasure.erase_deleted()
    with tenant_scope(acme):
        assert list(Contact.objects.all()) == [new]
    assert told == [registry.Erased([old.pk], ["old@example.com"], [])]


def test_what_is_somebody_elses_by_now_is_not_erased_with_the_former_owner(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        gone = contact(first_name="Eva", last_name="Kern", email="info@example.com")
        deletion.deactivate(gone, by=max_)
        contact(first_name="Eva", last_name="Kern", email="info@example.com")
        CaughtMail.objects.create(sender="a@example.com", recipient="info@example.com", raw="Dear Eva Kern")
        Suppression.objects.create(address="info@example.com", reason="complaint")
        erasure.erase([gone.pk], by=max_)
        assert CaughtMail.objects.exists()
        assert Suppression.objects.get().address == "info@example.com"


def test_an_accounts_people_are_not_erased_with_it(acme: Tenant) -> None:
    with tenant_scope(acme):
        account = people.create_account({"name": "Firm"})
        eva = people.create_contact({"last_name": "Kern"}, account=account)
        Account.objects.filter(pk=account.pk).delete()
        eva.refresh_from_db()
        assert eva.account_id is None
