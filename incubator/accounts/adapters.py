"""How allauth behaves here."""

from allauth.account.adapter import DefaultAccountAdapter


class ClosedSignup(DefaultAccountAdapter):
    """Nobody signs up: staff and officials are created by staff, trainees come from rosters."""

    def is_open_for_signup(self, request) -> bool:
        return False
