"""The service: assessments, indexes, histories and the learner's page over HTTP."""
