"""What a learner can do about it: sentences, notes on the first language, words to practise."""
