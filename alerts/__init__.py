"""The top floor: who must look, and what do we tell people."""
