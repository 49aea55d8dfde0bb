// SPDX-License-Identifier: Apache-2.0
//
// Port bytes from a hostile guest: finds records, and what a record says can
// be nothing but a range that may be mapped or an error.
#include <string.h>

#include "proxy/host/registration_parser.h"
#include "proxy/page_layout.h"
#include "proxy/registration.h"
#include "tools/fuzz_seed.h"

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out, size_t) {
  if (index > 1) return 0;
  const auto record =
      proxy::EncodeRegistration({.gpa = index == 0 ? 0x200000u : 0xFFFFF000u,
                                 .length = proxy::kSharedRangeSize,
                                 .session = 1});
  out[0] = 'D';
  memcpy(out + 1, record.data(), record.size());
  return 1 + record.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  proxy::host::RegistrationParser parser;
  for (size_t i = 0; i < size; ++i) {
    const auto event = parser.Push(data[i]);
    if (!event.has_value() || !event->record.has_value()) continue;
    const auto registration = proxy::ParseRegistration(*event->record);
    if (!registration.ok()) continue;
    if (registration->gpa % proxy::kPageSize != 0 ||
        registration->gpa + registration->length > proxy::kSharedRangeLimit) {
      __builtin_trap();
    }
  }
  return 0;
}
