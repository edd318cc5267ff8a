"""One call of one operation: what to send, when to try again, and what the answer means."""
