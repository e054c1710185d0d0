"""What rooms above are told."""

from django.dispatch import Signal

# Sent with ``accounts`` (ids) and ``day``, within the transaction, when readings were filled in or corrected at or
# behind the newest day that is known of the person.
past_readings_written = Signal()

# Sent with ``day``, within the transaction, when any readings of a day were written.
day_written = Signal()
