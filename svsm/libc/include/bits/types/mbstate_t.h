// SPDX-License-Identifier: Apache-2.0
#pragma once
// libc++ looks for it here. The state of a conversion of characters, which
// the guest has none of.
typedef struct {
  int unused;
} mbstate_t;
