#pragma once

/// The commit this program was built from: a tag or 40 hexadecimal digits, with `-changed` when files
/// differed from it; `unknown` outside a git checkout.
const char *ddp_revision(void);
