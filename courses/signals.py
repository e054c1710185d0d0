"""What rooms above are told before it happens; a receiver that raises ``RuleBroken`` prevents it."""

from django.dispatch import Signal

# Sent with ``participation`` and ``by``, within the transaction, before a graduation is taken back.
graduation_taken_back = Signal()

# Sent with ``participations`` (ids), within the transaction, when what they were taught or assessed changed.
training_changed = Signal()
