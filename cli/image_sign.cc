// SPDX-License-Identifier: Apache-2.0
#include "cli/image_sign.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/key_input.h"
#include "launch/id_block.h"
#include "launch/id_block_sign.h"
#include "launch/image.h"
#include "launch/signing_key.h"
#include "sev/guest_policy.h"
#include "sev/id_block.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using Kind = Option::Kind;

constexpr Option kSignOptions[] = {
    {"id-key", "KEY", Kind::kRequired,
     "PEM file or pkcs11: URI of the key that signs"},
    {"author-key", "KEY", Kind::kOptional,
     "PEM file or pkcs11: URI of the key that signs the ID key"},
    kPinFileOption,
    kPkcs11ModuleOption,
    {"digest", "HEX", Kind::kRequired, "the launch digest to sign"},
    {"guest-policy", "HEX", Kind::kOptional,
     "the guest policy of the launch; 0x30000 if left out"},
    {"svn", "N", Kind::kOptional, "GUEST_SVN; 0 if left out"},
    {"family-id", "HEX", Kind::kOptional, "32 hex digits; zeros if left out"},
    {"image-id", "HEX", Kind::kOptional, "32 hex digits; zeros if left out"},
    {"id-block-out", "FILE", Kind::kRequired, "where to write the ID block"},
    {"id-auth-out", "FILE", Kind::kRequired,
     "where to write the ID authentication information"},
};

// Leaves `out` alone where the option is not given.
template <size_t kSize>
absl::Status Bytes(const Arguments& arguments, std::string_view name,
                   std::array<uint8_t, kSize>& out) {
  if (!arguments.Has(name) ||
      verifier::ossl::FromHex(arguments.Value(name), out)) {
    return absl::OkStatus();
  }
  return UsageError(
      absl::StrCat("--", name, " wants ", 2 * kSize, " hex digits"));
}

absl::StatusOr<sev::IdBlock> BlockOf(const Arguments& arguments) {
  sev::IdBlock block;
  block.policy = sev::kPolicySmt | sev::kPolicyReservedMustBeOne;
  absl::Status status = Bytes(arguments, "digest", block.launch_digest);
  if (status.ok()) status = Bytes(arguments, "family-id", block.family_id);
  if (status.ok()) status = Bytes(arguments, "image-id", block.image_id);
  if (!status.ok()) return status;
  if (arguments.Has("guest-policy") &&
      (!absl::SimpleHexAtoi(arguments.Value("guest-policy"), &block.policy) ||
       (block.policy & sev::kPolicyReservedMustBeOne) == 0)) {
    return UsageError("--guest-policy wants hex digits, with bit 17 set");
  }
  if (arguments.Has("svn") &&
      !absl::SimpleAtoi(arguments.Value("svn"), &block.guest_svn)) {
    return UsageError("--svn wants a number from 0 to 4294967295");
  }
  return block;
}

void PrintKey(std::string_view what, sev::EcdsaKeyView key) {
  absl::PrintF("%s digest %s\n", what,
               verifier::ossl::Hex(launch::IdKeyDigest(key)));
}

absl::Status Sign(const Arguments& arguments) {
  const auto block = BlockOf(arguments);
  if (!block.ok()) return block.status();
  const auto id_key =
      launch::SigningKey::Load(KeyNamed(arguments.Value("id-key"), arguments));
  if (!id_key.ok()) return id_key.status();
  std::optional<launch::SigningKey> author_key;
  if (arguments.Has("author-key")) {
    auto loaded = launch::SigningKey::Load(
        KeyNamed(arguments.Value("author-key"), arguments));
    if (!loaded.ok()) return loaded.status();
    author_key = *std::move(loaded);
  }
  const auto made =
      launch::SignIdBlock(*block, *id_key, author_key ? &*author_key : nullptr);
  if (!made.ok()) return made.status();
  absl::Status status =
      launch::WriteFile(arguments.Value("id-block-out"), made->id_block);
  if (status.ok()) {
    status = launch::WriteFile(arguments.Value("id-auth-out"), made->id_auth);
  }
  if (!status.ok()) return status;
  PrintKey("ID key", id_key->public_key());
  if (author_key) PrintKey("author key", author_key->public_key());
  return absl::OkStatus();
}

constexpr Option kIdKeyOptions[] = {kPinFileOption, kPkcs11ModuleOption};

absl::Status IdKey(const Arguments& arguments) {
  const auto key =
      launch::LoadPublicKey(KeyNamed(arguments.positional(0), arguments));
  if (!key.ok()) return key.status();
  absl::PrintF("%s\n", verifier::ossl::Hex(launch::IdKeyDigest(*key)));
  return absl::OkStatus();
}

constexpr Command kCommands[] = {
    {"image id-key", "KEY", "print the digest by which policies name a key",
     "Prints the SHA-384 of AMD's structure of the public key: ID_KEY_DIGEST "
     "or AUTHOR_KEY_DIGEST of reports, `id_key_digest` or `author_key_digest` "
     "of policies. KEY is a PEM file (the public key is enough) or a pkcs11: "
     "URI.",
     kIdKeyOptions, &IdKey},
    {"image sign", "", "sign the ID block of an image",
     "An ID block names a launch digest, a guest policy and a security version "
     "(SVN); a host that is given it cannot launch anything else with it, and "
     "reports name the key that signed it. Keys are EC P-384.\n\n"
     "A key in a PKCS#11 token is named by its URI; the PIN is read from "
     "--pin-file, or from the file that pin-source= in the URI names:\n\n"
     "  forelock image sign --digest $(cat digest) --svn 3 \\\n"
     "    --id-key 'pkcs11:token=owner;object=id-key' --pin-file pin \\\n"
     "    --id-block-out id-block --id-auth-out id-auth\n\n"
     "What is written was verified before.",
     kSignOptions, &Sign},
};

}  // namespace

std::span<const Command> ImageSignCommands() { return kCommands; }

}  // namespace cli
