"""Fuzzing: arbitrary input at every door ends in an answer or a coded refusal, soon and small."""
