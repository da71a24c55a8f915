"""Looking into a bot's journal: what stands in it, whether it is whole, one story, all of it."""
