"""What the service keeps: assessments, learners' progress, jobs and keys."""
