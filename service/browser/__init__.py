"""What a web page needs of an index, so that it hears learners where they are."""
