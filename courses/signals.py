"""What rooms above are told before it happens; a receiver that raises ``RuleBroken`` prevents it."""

from django.dispatch import Signal

# Sent with ``participation`` and ``by``, within the transaction, before a graduation is taken back.
graduation_taken_back = Signal()
