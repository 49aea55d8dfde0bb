// SPDX-License-Identifier: Apache-2.0
//
// How a module lists its reason codes, and the reasons of base/ itself.
//
// A module's reasons.h has one X-macro list and expands it once into constants:
//
//   #define FORELOCK_PROXY_REASONS(X) <one row after the other:>
//     X(kFrameBadMagic, 'P', 'C', 1, "frame header has a wrong magic",
//       "The peer does not speak the proxy channel; check its version.")
//   namespace proxy {
//   FORELOCK_PROXY_REASONS(BASE_DEFINE_REASON)
//   }
//
// Columns: constant, tag, number, what happened (lower case, no full stop),
// what the reader of a log should do (a sentence). Append only: a number is
// never reused or given another meaning. //tools/reasons:all_reasons expands
// every list.
#pragma once

#include "base/result.h"

#define BASE_DEFINE_REASON(name, tag0, tag1, number, what, advice) \
  inline constexpr ::base::Reason name{tag0, tag1, number};

// One row of a reason table, for consoles and for docs/errors.md.
#define BASE_REASON_ROW(name, tag0, tag1, number, what, advice) \
  ::base::ReasonRow{::base::Reason{tag0, tag1, number}, what, advice},

#define FORELOCK_BASE_REASONS(X)                                             \
  X(kBytesTooShort, 'B', 'A', 1, "input ends before the field it announces", \
    "The sender is truncated or hostile; nothing of it was used.")           \
  X(kBytesLeftOver, 'B', 'A', 2, "input goes on after its last field",       \
    "The sender is newer, broken or hostile; nothing of it was used.")       \
  X(kLengthOverLimit, 'B', 'A', 3, "a length is over the reader's limit",    \
    "The sender is newer, broken or hostile; nothing of it was used.")       \
  X(kBufferFull, 'B', 'A', 4, "output does not fit its buffer",              \
    "A bug or a configuration with too many entries; report it.")            \
  X(kSecretTooLarge, 'B', 'A', 5, "a secret does not fit its buffer",        \
    "Raise max_size of the resource, or store a smaller secret.")            \
  X(kStreamClosed, 'B', 'A', 6, "the other side closed the stream",          \
    "See the log of the side that closed.")                                  \
  X(kDeadlinePassed, 'B', 'A', 7, "a deadline passed",                       \
    "The peer is absent, stalled or too slow; see the phase printed before.")

namespace base {
struct ReasonRow {
  Reason reason;
  const char* what;
  const char* advice;
};
FORELOCK_BASE_REASONS(BASE_DEFINE_REASON)

// "PC7": two letters and a decimal number, as printed everywhere. Writes at
// most 5 characters and a NUL.
struct ReasonName {
  char text[6];
};
constexpr ReasonName NameOf(Reason reason) {
  ReasonName name{};
  if (reason == Reason()) {
    name.text[0] = '-';
    return name;
  }
  int at = 0;
  name.text[at++] = reason.tag0();
  name.text[at++] = reason.tag1();
  const unsigned number = reason.number();
  if (number >= 100) name.text[at++] = static_cast<char>('0' + number / 100);
  if (number >= 10) name.text[at++] = static_cast<char>('0' + number / 10 % 10);
  name.text[at++] = static_cast<char>('0' + number % 10);
  return name;
}
}  // namespace base
