"""Record: evidence, decisions and what a person has to do; never bytes."""
