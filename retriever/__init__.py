"""Learner frames and an open index → neighbours, phone posteriors, margins, evidence."""
