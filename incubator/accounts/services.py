"""The only writer of the groups that every installation has.

Permissions are named by their codes: this room lies below those whose pages they open and knows nothing else of them.
What a person sees of a list is a matter of postings, never of groups.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from incubator.accounts.choices import StaffGroup

VIEW, WORK = ("view",), ("view", "add", "change")
ALL = ""  # every model of the room
Allowed = Mapping[tuple[str, str], Iterable[str]]

# (room, model) → what may be done there. Users, groups, schedules and regions stay with superusers, except for looking
# a region up, which choosing a county needs.
GROUPS: dict[str, Allowed] = {
    StaffGroup.MANAGER: {
        ("trainees", ALL): (*WORK, "reveal"),
        ("accounts", "accessrecord"): VIEW,
        ("rosters", ALL): WORK,
        ("duplicates", ALL): (*WORK, "merge"),
        ("figures", ALL): WORK,
        ("classbooks", ALL): WORK,
        ("programmes", ALL): WORK,
        # Not the clerk who brings people forward, nor the certifier who judges them: a deadline is moved by a third.
        ("programmes", "supportchange"): (*VIEW, "decide"),
        ("courses", ALL): WORK,
        ("metrics", ALL): WORK,
        ("grants", ALL): WORK,
        ("forecasts", ALL): VIEW,
        ("credentials", "credential"): VIEW,
        ("certificates", ALL): VIEW,
        ("certificates", "ceremony"): WORK,
        ("certificates", "seal"): ("view", "add"),
        ("certification", ALL): (*WORK, "answer"),
        ("certification", "candidate"): ("explain",),
        ("certification", "award"): ("audit",),
        ("reports", ALL): WORK,
        ("jobs", "job"): ("view", "change"),
        ("regions", "region"): VIEW,
        ("regions", "keycounty"): ("view", "change"),
    },
    StaffGroup.CLERK: {
        ("trainees", ALL): ("view", "change", "reveal"),
        ("rosters", ALL): WORK,
        ("duplicates", ALL): (*WORK, "merge"),
        ("figures", ALL): WORK,
        ("classbooks", ALL): WORK,
        ("programmes", ALL): VIEW,
        ("programmes", "participation"): WORK,
        ("courses", ALL): VIEW,
        ("courses", "trainingclass"): WORK,
        ("courses", "session"): WORK,
        ("courses", "enrolment"): WORK,
        ("courses", "attendance"): WORK,
        ("courses", "assessment"): WORK,
        ("courses", "attempt"): WORK,
        ("courses", "papersheet"): WORK,
        ("forecasts", ALL): VIEW,
        # The county answers what is asked back, notes works and reports doubts; it decides nothing.
        ("certification", "candidate"): ("view", "answer", "explain"),
        ("certification", "flag"): ("view", "add"),
        ("certification", "work"): WORK,
        ("jobs", "job"): ("view", "change"),
        ("regions", "region"): VIEW,
    },
    StaffGroup.CERTIFIER: {
        ("trainees", ALL): VIEW,
        ("programmes", ALL): VIEW,
        ("courses", ALL): VIEW,
        ("metrics", ALL): VIEW,
        ("forecasts", ALL): VIEW,
        ("certification", ALL): VIEW,
        ("certification", "candidate"): ("view", "change", "answer", "explain"),
        ("certification", "flag"): WORK,
        ("certification", "work"): WORK,
        ("certification", "award"): ("view", "change", "audit"),
        ("credentials", "credential"): VIEW,
        ("certificates", "ceremony"): WORK,
        ("certificates", "edition"): VIEW,
        ("regions", "region"): VIEW,
    },
    StaffGroup.VIEWER: {
        ("trainees", ALL): VIEW,
        ("rosters", ALL): VIEW,
        ("duplicates", ALL): VIEW,
        ("figures", ALL): VIEW,
        ("classbooks", ALL): VIEW,
        # All of it but why a support period was changed: that somebody is ill is not for everybody.
        ("programmes", "programme"): VIEW,
        ("programmes", "cohort"): VIEW,
        ("programmes", "participation"): VIEW,
        ("programmes", "participationmove"): VIEW,
        ("programmes", "supportreminder"): VIEW,
        ("courses", ALL): VIEW,
        ("metrics", ALL): VIEW,
        ("grants", ALL): VIEW,
        ("forecasts", ALL): VIEW,
        ("certification", ALL): VIEW,
        ("credentials", "credential"): VIEW,
        ("certificates", "ceremony"): VIEW,
        ("certificates", "edition"): VIEW,
        ("certification", "candidate"): ("explain",),
        ("reports", ALL): VIEW,
        ("regions", ALL): VIEW,
    },
    # Posted to a training institution and to no region: its classes and the people in them as far as teaching goes,
    # and no page about a person.
    StaffGroup.INSTITUTION: {
        ("courses", "trainingclass"): VIEW,
        ("courses", "session"): VIEW,
        ("courses", "enrolment"): VIEW,
        ("courses", "attendance"): WORK,
        ("courses", "assessment"): VIEW,
        ("courses", "papersheet"): WORK,
        ("classbooks", "attendanceimport"): WORK,
    },
}


def ensure_groups() -> dict[str, int]:
    """Make the groups and give them what is named above; returns how many permissions each has of it.

    Run after every migration. What an installation adds to a group stays; what it takes away comes back: a group of
    one's own is the way to deviate.
    """
    return {name: _ensure(name, allowed) for name, allowed in GROUPS.items()}


def _ensure(name: str, allowed: Allowed) -> int:
    group, _is_new = Group.objects.get_or_create(name=str(name))
    permissions = list(Permission.objects.filter(_permissions_q(allowed)))
    group.permissions.add(*permissions)
    return len(permissions)


def _permissions_q(allowed: Allowed) -> Q:
    q = Q(pk__in=[])
    for (room, model), actions in allowed.items():
        for action in actions:
            q |= Q(content_type__app_label=room, codename__startswith=f"{action}_{model}") & (
                Q() if model == ALL else Q(content_type__model=model)
            )
    return q


def ensure_groups_after_migration(sender: Any, **kwargs: Any) -> None:
    """Receiver of ``post_migrate``: once, after the last room with tables, when all permissions exist."""
    last = [app for app in apps.get_app_configs() if app.models_module is not None][-1]
    migrated = kwargs.get("apps", apps)  # not told when tables were emptied: they all exist then
    if sender is last and _has_groups(migrated):
        ensure_groups()


def _has_groups(migrated: Any) -> bool:
    try:
        migrated.get_model("auth", "Group")
    except LookupError:
        return False
    return True
