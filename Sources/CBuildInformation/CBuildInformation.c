#include "CBuildInformation.h"

const char *ddp_revision(void) { return DDP_REVISION; }
