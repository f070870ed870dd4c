#include "CBuildInformation.h"

static const char revision[] = DDP_REVISION;

int ddp_revision_byte_count(void) { return sizeof revision - 1; }

unsigned char ddp_revision_byte(int index) { return revision[index]; }
