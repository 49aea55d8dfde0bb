// SPDX-License-Identifier: Apache-2.0
#include "verifier/cli/key_trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/secret_buffer.h"
#include "hosted/child.h"
#include "verifier/store/secret_value.h"

namespace verifier {
namespace {

using Run = absl::StatusOr<hosted::ChildOutput>;

// Standard input is `key`. The environment is ours: messages in English.
Run RunWithKey(const std::string& program, const std::string& device,
               base::Bytes key, std::chrono::milliseconds deadline) {
  static_assert(kMaxSecretBytes <= hosted::kMaxChildInput);
  const std::array<std::string, 9> words = {
      program,      "open", "--verbose", "--test-passphrase", "--type", "luks2",
      "--key-file", "-",    device};
  return hosted::RunChild(
      words,
      {.time = deadline,
       .input = key,
       .environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}});
}

// "Key slot 0 unlocked."
std::optional<unsigned> KeyslotIn(const std::string& text) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    unsigned keyslot = 0;
    if (words.size() == 4 && words[0] == "Key" && words[1] == "slot" &&
        absl::StartsWith(words[3], "unlocked") &&
        absl::SimpleAtoi(words[2], &keyslot)) {
      return keyslot;
    }
  }
  return std::nullopt;
}

// Exit codes of cryptsetup(8), "RETURN CODES".
constexpr int kOpened = 0;
constexpr int kWrongKey = 2;

std::string WhyNot(const Run& run) {
  switch (run.status().code()) {
    case absl::StatusCode::kOk:
      break;
    case absl::StatusCode::kDeadlineExceeded:
      return "it did not answer in time";
    case absl::StatusCode::kAborted:
      return "it was killed; memory may be short";
    default:
      return absl::StrCat("it cannot be started: ", run.status().message());
  }
  switch (run->exit_code) {
    case 1:
      return "it does not know an option; is it older than version 2?";
    case 3:
      return "this machine has too little memory";
    case 4:
      return "it cannot use the device";
    case 5:
      return "the device is busy";
    default:
      return absl::StrCat("it ended with ", run->exit_code);
  }
}

using Key = base::SecretBuffer<kMaxSecretBytes>;

// What somebody may have meant: without the newline at the key's end, or with
// one. Empty: nothing.
Key OtherEnding(base::Bytes key) {
  Key other;
  const auto ends_with = [&](uint8_t byte) {
    return !key.empty() && key.back() == byte;
  };
  if (ends_with('\n')) {
    key = key.first(key.size() - 1);
    if (ends_with('\r')) key = key.first(key.size() - 1);
    return *Key::CopyFrom(key);
  }
  const auto longer = other.ResizeForWrite(key.size() + 1);
  if (!longer.ok()) return other;
  memcpy(longer->data(), key.data(), key.size());
  longer->back() = '\n';
  return other;
}

}  // namespace

std::string FindCryptsetup(std::string_view path) {
  const std::string folders =
      absl::StrCat(path, path.empty() ? "" : ":", "/usr/sbin:/sbin");
  for (const absl::string_view folder : absl::StrSplit(folders, ':')) {
    if (!absl::StartsWith(folder, "/")) continue;
    const std::string program = absl::StrCat(folder, "/cryptsetup");
    if (access(program.c_str(), X_OK) == 0) return program;
  }
  return "";
}

KeyTrial TryKey(const std::string& program, const std::string& device,
                base::Bytes key, std::chrono::milliseconds deadline) {
  KeyTrial trial;
  // Whole: it may begin with '-'.
  const std::unique_ptr<char, decltype(&free)> whole(
      realpath(device.c_str(), nullptr), &free);
  if (whole == nullptr) {
    trial.why = absl::StrCat(device, ": ", strerror(errno));
    return trial;
  }
  const Run run = RunWithKey(program, whole.get(), key, deadline);
  if (run.ok() && run->exit_code == kOpened) {
    trial.fit = KeyFit::kOpens;
    trial.keyslot = KeyslotIn(run->text);
    return trial;
  }
  if (!run.ok() || run->exit_code != kWrongKey) {
    trial.why = WhyNot(run);
    return trial;
  }
  trial.fit = KeyFit::kDoesNotOpen;
  const Key other = OtherEnding(key);
  if (other.size() == 0) return trial;
  const Run again =
      RunWithKey(program, whole.get(), other.RevealSecret(), deadline);
  if (again.ok() && again->exit_code == kOpened) {
    trial.fit = other.size() < key.size() ? KeyFit::kOpensWithoutNewline
                                          : KeyFit::kOpensWithNewline;
  }
  return trial;
}

}  // namespace verifier
