/* Inside delivery: what is done about a ledger or a delivery that is damaged. The caller holds the
 * lock of the outbox. */
#ifndef CRUMB_SRC_DELIVERY_LEDGER_H
#define CRUMB_SRC_DELIVERY_LEDGER_H

#include "outbox.h"

/* A damaged ledger is set aside and made anew from the one before and the rows of what is under
 * way: all of it may be at the partner. A sound ledger stays as it is. */
enum err ledger_mend(const struct outbox *o, const char *destination, uint32_t now) MUST_CHECK;
/* Sets the delivery that is under way aside. Its rows are MAYBE in the ledger, and so they are said
 * or taken back again. */
enum err ledger_drop_pending(
    const struct outbox *o, const char *destination, uint32_t now) MUST_CHECK;

#endif
