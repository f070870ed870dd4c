#pragma once

// The commit this program was built from, as `git describe` names it; `-changed` at its end: files
// differed from it; `or later`: built without make; `unknown`: outside a git checkout.
// It is handed out byte by byte, so that Swift reads it without a pointer.

int ddp_revision_byte_count(void);

/// The byte at `index`, which is below the count.
unsigned char ddp_revision_byte(int index);
