// SPDX-License-Identifier: Apache-2.0
#include "proxy/host/registration_parser.h"

#include <algorithm>

#include "proxy/page_layout.h"

namespace proxy::host {

std::optional<RegistrationParser::Event> RegistrationParser::Push(
    uint8_t byte) {
  std::shift_left(window_.begin(), window_.end(), 1);
  window_.back() = byte;
  if (IsRegistration(window_)) {
    const Event event = {.record = window_};
    // Its bytes are used up: they cannot begin another one.
    window_ = {};
    return event;
  }
  if (byte == kDoorbellByte) return Event{};
  return std::nullopt;
}

}  // namespace proxy::host
