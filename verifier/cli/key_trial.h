// SPDX-License-Identifier: Apache-2.0
//
// Whether a key opens the disk that it is stored for, by the program that will
// open it in the guest: `cryptsetup open --test-passphrase`.
//
// The key goes through a pipe; it is in no argument, environment or file.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace verifier {

enum class KeyFit {
  kOpens,
  kDoesNotOpen,
  // The file's key does not, but does
  kOpensWithoutNewline,  // without the newline at its end
  kOpensWithNewline,     // with one behind it
  kNotTried,
};

struct KeyTrial {
  KeyFit fit = KeyFit::kNotTried;
  std::optional<unsigned> keyslot;  // kOpens: the one it opens, if known
  std::string why;                  // kNotTried: a line
};

// The program's path: the first in `path` (as $PATH, absolute folders only),
// else where Debian has it, which is not in every user's. Empty: none.
std::string FindCryptsetup(std::string_view path);

// Long enough for an argon2 that took seconds on a faster machine.
inline constexpr std::chrono::seconds kTrialDeadline{120};

// Runs `program` at most twice; a run that takes longer than `deadline` is
// killed. `key` has at most kMaxSecretBytes.
KeyTrial TryKey(const std::string& program, const std::string& device,
                base::Bytes key,
                std::chrono::milliseconds deadline = kTrialDeadline);

}  // namespace verifier
