"""Answers in the shapes of other services, so that an app is moved by changing its address."""
