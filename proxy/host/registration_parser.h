// SPDX-License-Identifier: Apache-2.0
//
// Finds registrations and doorbells in the bytes that arrive from QEMU.
//
// Bytes can be lost (before a connect) or be the tail of a record (after a
// reconnect), so every byte may be the first of a record: a window of the last
// 28 bytes is tried at each. Bytes of a record that fails count as nothing.
#pragma once

#include <stdint.h>

#include <optional>

#include "proxy/registration.h"

namespace proxy::host {

class RegistrationParser {
 public:
  struct Event {
    // Set: a whole record with right magic and checksum. Else: a doorbell.
    std::optional<RegistrationRecord> record;
  };

  // Takes one byte. A doorbell is reported at once, even where it may turn out
  // to be part of a record: a spurious one only costs a look into the ring.
  std::optional<Event> Push(uint8_t byte);

 private:
  RegistrationRecord window_ = {};
};

}  // namespace proxy::host
