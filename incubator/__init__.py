"""The rural creator incubator: one Django project. Rooms and arrows are drawn in docs/architecture.md."""
