"""How often the answers are right: labelled photos become trials, and trials figures."""
