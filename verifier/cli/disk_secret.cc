// SPDX-License-Identifier: Apache-2.0
#include "verifier/cli/disk_secret.h"

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/secret_buffer.h"
#include "boot/rules.h"
#include "hosted/files.h"
#include "hosted/text.h"
#include "verifier/cli/key_trial.h"
#include "verifier/cli/luks2_header.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

using hosted::Arguments;

void Warn(std::string_view text) {
  fprintf(stderr, "warning: %s\n", hosted::Printable(text).c_str());
}

absl::StatusOr<Luks2Header> HeaderGiven(const Arguments& arguments) {
  const bool by_hand =
      arguments.Has("header-length") && arguments.Has("header-sha256");
  if (arguments.Has("device") == by_hand) {
    return hosted::UsageError(
        "wants --device, or --header-length and --header-sha256");
  }
  if (!by_hand) return ReadLuks2Header(arguments.Value("device"));
  for (const char* option : {"untested", "memory"}) {
    if (arguments.Has(option)) {
      return hosted::UsageError(absl::StrCat("--", option, " wants --device"));
    }
  }
  Luks2Header header;
  if (!absl::SimpleAtoi(arguments.Value("header-length"), &header.length) ||
      header.length == 0 ||
      !ossl::FromHex(arguments.Value("header-sha256"), header.sha256)) {
    return hosted::UsageError(
        "--header-length wants bytes, --header-sha256 64 hex digits");
  }
  return header;
}

absl::StatusOr<uint64_t> MemoryGiven(const Arguments& arguments) {
  uint64_t mib = boot::kDefaultMemoryMib;
  if (arguments.Has("memory") &&
      (!absl::SimpleAtoi(arguments.Value("memory"), &mib) || mib == 0 ||
       mib > UINT32_MAX)) {
    return hosted::UsageError("--memory wants a number of MiB");
  }
  return mib;
}

absl::Status DoesNotOpen(std::string_view device, std::string_view why) {
  return Error(kKeyDoesNotOpen, absl::StatusCode::kInvalidArgument,
               absl::StrCat(device, ": ", why));
}

// A key that does not open its disk is a mistake that nobody sees before the
// boot, when the original may be gone.
//   The keyslot that it opens, if that is known.
absl::StatusOr<std::optional<unsigned>> TryOn(const std::string& device,
                                              const std::string& key_file,
                                              base::Bytes key) {
  const char* path = getenv("PATH");
  const std::string program = FindCryptsetup(path == nullptr ? "" : path);
  if (program.empty()) {
    Warn("the key was not tried on the disk: cryptsetup is not installed");
    return std::nullopt;
  }
  const KeyTrial trial = TryKey(program, device, key);
  const std::string file =
      key_file == "-" ? "standard input" : hosted::Printable(key_file);
  switch (trial.fit) {
    case KeyFit::kOpens:
      return trial.keyslot;
    case KeyFit::kDoesNotOpen:
      return DoesNotOpen(device, "no keyslot takes it");
    case KeyFit::kOpensWithoutNewline:
      return DoesNotOpen(
          device, absl::StrCat("the newline at the end of ", file,
                               " is too much, without it the key opens the "
                               "disk; printf %s writes none"));
    case KeyFit::kOpensWithNewline:
      return DoesNotOpen(
          device, absl::StrCat("the disk's key has a newline at its end, and ",
                               file, " has none"));
    case KeyFit::kNotTried:
      break;
  }
  Warn(absl::StrCat("the key was not tried on the disk: ", program, ": ",
                    trial.why));
  return std::nullopt;
}

void WarnOfArgon2(const Luks2Header& header, std::optional<unsigned> keyslot,
                  uint64_t memory_mib, bool given) {
  const uint64_t kib = Argon2MemoryKib(header, keyslot);
  if (kib / 1024 < memory_mib) return;
  Warn(absl::StrCat(
      "opening the disk takes ", kib / 1024, " MiB for argon2, and a VM of ",
      memory_mib, " MiB",
      given ? "" : " (what image qemu-args gives; --memory names another)",
      " has no more: the initramfs cannot open it; a random key needs no "
      "argon2: "
      "cryptsetup luksConvertKey --pbkdf pbkdf2"));
}

}  // namespace

absl::StatusOr<SecretValue> ReadSecret(const std::string& file) {
  auto bytes = hosted::ReadInput(file, kMaxSecretBytes);
  if (!bytes.ok()) {
    const bool size = absl::IsOutOfRange(bytes.status());
    return Error(size ? kSecretSize : kInputUnusable, bytes.status().code(),
                 bytes.status().message());
  }
  SecretValue value;
  value.bytes = *base::SecretBuffer<kMaxSecretBytes>::CopyFrom(*bytes);
  base::SecureZero(bytes->data(), bytes->size());
  return value;
}

absl::StatusOr<SecretValue> ReadDiskSecret(const Arguments& arguments) {
  const auto memory_mib = MemoryGiven(arguments);
  if (!memory_mib.ok()) return memory_mib.status();
  const auto header = HeaderGiven(arguments);
  if (!header.ok()) return header.status();
  const std::string key_file = arguments.Value("key-file");
  auto value = ReadSecret(key_file);
  if (!value.ok()) return value;
  value->kind = SecretKind::kLuks2;
  value->header_length = header->length;
  value->header_sha256 = header->sha256;
  if (header->integrity) {
    Warn(
        "the disk has dm-integrity below it: the initramfs needs that module, "
        "which the demo's has not");
  }
  if (!arguments.Has("device")) {
    Warn("the key was not tried on the disk: that wants --device");
    return value;
  }
  std::optional<unsigned> keyslot;
  // An empty one is for the store to refuse.
  if (!arguments.Has("untested") && value->bytes.size() != 0) {
    const auto tried =
        TryOn(arguments.Value("device"), key_file, value->bytes.RevealSecret());
    if (!tried.ok()) return tried.status();
    keyslot = *tried;
  }
  WarnOfArgon2(*header, keyslot, *memory_mib, arguments.Has("memory"));
  return value;
}

}  // namespace verifier
