"""What this room and those above it announce; who listens is no concern of theirs."""

from django.dispatch import Signal

# Sent with ``pairs=[(trainee id, trainee id, why)]`` where people look like one person; ``why`` is a ``LookAlike``.
people_look_alike = Signal()
