"""What this room and those above it announce; who listens is no concern of theirs."""

from django.dispatch import Signal

# Sent with ``pairs=[(trainee id, trainee id, why)]`` for people who look like one; ``why`` is a value of ``LookAlike``.
people_look_alike = Signal()
