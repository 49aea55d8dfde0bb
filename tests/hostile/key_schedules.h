// SPDX-License-Identifier: Apache-2.0
//
// Finds AES keys in memory by their key schedule: nobody has to know the key.
// So a random generator's state and the record keys of TLS are found too, which
// no test is told.
// Spec: FIPS 197, 5.2; the words in the order of memory, as AES-NI wants them.
#pragma once

#include <stddef.h>

#include <vector>

#include "base/bytes.h"

namespace hostile {

struct KeySchedule {
  size_t offset = 0;  // in the memory; the key itself comes first
  int key_bits = 0;   // 128 or 256
};

// Each whole encryption schedule that begins at a multiple of four bytes.
std::vector<KeySchedule> FindKeySchedules(base::Bytes memory);

}  // namespace hostile
