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
#include "cli/files.h"
#include "cli/image_input.h"
#include "cli/key_input.h"
#include "launch/id_block.h"
#include "launch/id_block_sign.h"
#include "launch/igvm_plan.h"
#include "launch/launch_plan.h"
#include "launch/rom.h"
#include "launch/signing_key.h"
#include "proto/config.h"
#include "sev/guest_policy.h"
#include "sev/id_block.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using Kind = hosted::Option::Kind;

constexpr hosted::Option kSignOptions[] = {
    {"id-key", "KEY", Kind::kRequired,
     "PEM file or pkcs11: URI of the key that signs"},
    {"author-key", "KEY", Kind::kOptional,
     "PEM file or pkcs11: URI of the key that signs the ID key"},
    kPinFileOption,
    kPkcs11ModuleOption,
    {"output", "OUT", Kind::kOptional,
     "where to write the IGVM file with the ID block in it"},
    {"digest", "HEX", Kind::kOptional,
     "instead of IMAGE: the launch digest to sign"},
    {"guest-policy", "HEX", Kind::kOptional,
     "of the launch, where IMAGE does not say; 0x30000 if left out"},
    kLoaderOption,
    kZeroPagesOption,
    kCpuSignatureOption,
    {"svn", "N", Kind::kOptional, "GUEST_SVN; 0 if left out"},
    {"family-id", "HEX", Kind::kOptional, "32 hex digits; zeros if left out"},
    {"image-id", "HEX", Kind::kOptional, "32 hex digits; zeros if left out"},
    {"id-block-out", "FILE", Kind::kOptional,
     "where to write the ID block by itself"},
    {"id-auth-out", "FILE", Kind::kOptional,
     "and the ID authentication information"},
};

// Leaves `out` alone where the option is not given.
template <size_t kSize>
absl::Status Bytes(const hosted::Arguments& arguments, std::string_view name,
                   std::array<uint8_t, kSize>& out) {
  if (!arguments.Has(name) ||
      verifier::ossl::FromHex(arguments.Value(name), out)) {
    return absl::OkStatus();
  }
  return hosted::UsageError(
      absl::StrCat("--", name, " wants ", 2 * kSize, " hex digits"));
}

// Digest and policy of what is launched, from the image.
absl::Status FromImage(const ImageInput& image,
                       const hosted::Arguments& arguments,
                       sev::IdBlock& block) {
  const auto launch = LaunchGiven(arguments);
  if (!launch.ok()) return launch.status();
  if (image.DefaultPlatform() != proto::Platform::kSnp) {
    return hosted::UsageError("an ID block is for the launch of an SNP image");
  }
  const auto plan = image.Plan(proto::Platform::kSnp, *launch);
  if (!plan.ok()) return plan.status();
  block.launch_digest = launch::MeasurePlan(*plan);
  WarnIfKvmReplaces(image, *launch);
  if (image.kind() != ImageKind::kIgvm) return absl::OkStatus();
  if (arguments.Has("guest-policy")) {
    return hosted::UsageError("an IGVM file has its guest policy in it");
  }
  // The plan's is a default where the file has none.
  const auto policy = launch::SnpPolicy(image.igvm());
  if (!policy.ok()) return policy.status();
  block.policy = *policy;
  return absl::OkStatus();
}

absl::StatusOr<sev::IdBlock> BlockOf(const ImageInput* image,
                                     const hosted::Arguments& arguments) {
  sev::IdBlock block;
  block.policy = sev::kPolicySmt | sev::kPolicyReservedMustBeOne;
  absl::Status status = Bytes(arguments, "digest", block.launch_digest);
  if (status.ok()) status = Bytes(arguments, "family-id", block.family_id);
  if (status.ok()) status = Bytes(arguments, "image-id", block.image_id);
  if (status.ok() && image != nullptr) {
    status = FromImage(*image, arguments, block);
  }
  if (!status.ok()) return status;
  if (arguments.Has("guest-policy") &&
      (!absl::SimpleHexAtoi(arguments.Value("guest-policy"), &block.policy) ||
       (block.policy & sev::kPolicyReservedMustBeOne) == 0)) {
    return hosted::UsageError(
        "--guest-policy wants hex digits, with bit 17 set");
  }
  if (arguments.Has("svn") &&
      !absl::SimpleAtoi(arguments.Value("svn"), &block.guest_svn)) {
    return hosted::UsageError("--svn wants a number from 0 to 4294967295");
  }
  return block;
}

// What is asked for goes together.
absl::Status CheckOptions(const hosted::Arguments& arguments) {
  if (arguments.Has("digest") != arguments.positionals().empty()) {
    return hosted::UsageError("wants an image or --digest, one of them");
  }
  if (arguments.Has("id-block-out") != arguments.Has("id-auth-out")) {
    return hosted::UsageError(
        "--id-block-out and --id-auth-out belong together");
  }
  if (!arguments.Has("output") && !arguments.Has("id-block-out")) {
    return hosted::UsageError("--output or --id-block-out is missing");
  }
  return absl::OkStatus();
}

absl::Status WriteSigned(const ImageInput* image,
                         const launch::SignedIdBlock& made,
                         const hosted::Arguments& arguments) {
  if (arguments.Has("output")) {
    const auto file = launch::WithIdBlock(
        image->bytes(),
        {.id_block = {made.id_block.begin(), made.id_block.end()},
         .id_auth = {made.id_auth.begin(), made.id_auth.end()}});
    if (!file.ok()) return file.status();
    const absl::Status status = WriteOutput(arguments.Value("output"), *file);
    if (!status.ok()) return status;
  }
  if (!arguments.Has("id-block-out")) return absl::OkStatus();
  const absl::Status status =
      WriteOutput(arguments.Value("id-block-out"), made.id_block);
  if (!status.ok()) return status;
  return WriteOutput(arguments.Value("id-auth-out"), made.id_auth);
}

// All that the signature is about, for the one who signs.
void PrintBlock(const sev::IdBlock& block) {
  absl::PrintF(
      "launch digest %s\nguest policy 0x%x (%s), firmware ABI %d.%d or later\n"
      "SVN %d\nfamily id %s\nimage id %s\n",
      DigestHex(block.launch_digest), block.policy,
      PolicyBitNames(block.policy), sev::PolicyAbiMajor(block.policy),
      sev::PolicyAbiMinor(block.policy), block.guest_svn,
      verifier::ossl::Hex(block.family_id),
      verifier::ossl::Hex(block.image_id));
}

// A ROM's digest is of one CPU model.
absl::Status PrintCpu(const hosted::Arguments& arguments) {
  const auto launch = LaunchGiven(arguments);
  if (!launch.ok()) return launch.status();
  if (launch->cpu_signature != 0) {
    absl::PrintF("CPU signature 0x%08x\n", launch->cpu_signature);
  } else {
    absl::PrintF("CPU signature 0x%08x, assumed: QEMU's EPYC\n",
                 launch::kEpycSignature);
  }
  return absl::OkStatus();
}

void PrintKey(std::string_view what, sev::EcdsaKeyView key) {
  absl::PrintF("%s digest %s\n", what,
               verifier::ossl::Hex(launch::IdKeyDigest(key)));
}

absl::Status Sign(const hosted::Arguments& arguments) {
  absl::Status status = CheckOptions(arguments);
  if (!status.ok()) return status;
  std::optional<ImageInput> image;
  if (!arguments.positionals().empty()) {
    auto loaded = ImageInput::Load(arguments.positional(0));
    if (!loaded.ok()) return loaded.status();
    image = *std::move(loaded);
  }
  const ImageInput* const input = image ? &*image : nullptr;
  if (arguments.Has("output") &&
      (input == nullptr || input->kind() != ImageKind::kIgvm)) {
    return hosted::UsageError(
        "--output wants an IGVM file to put the ID block into");
  }
  const auto block = BlockOf(input, arguments);
  if (!block.ok()) return block.status();
  // Before a token is asked for anything.
  status = launch::CheckSignable(block->policy);
  if (!status.ok()) return status;
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
  PrintBlock(*block);
  if (input != nullptr && input->kind() == ImageKind::kRom) {
    status = PrintCpu(arguments);
    if (!status.ok()) return status;
  }
  PrintKey("ID key", id_key->public_key());
  if (author_key) PrintKey("author key", author_key->public_key());
  return WriteSigned(input, *made, arguments);
}

constexpr hosted::Option kIdKeyOptions[] = {kPinFileOption,
                                            kPkcs11ModuleOption};

absl::Status IdKey(const hosted::Arguments& arguments) {
  const auto key =
      launch::LoadPublicKey(KeyNamed(arguments.positional(0), arguments));
  if (!key.ok()) return key.status();
  absl::PrintF("%s\n", verifier::ossl::Hex(launch::IdKeyDigest(*key)));
  return absl::OkStatus();
}

constexpr hosted::Command kCommands[] = {
    {"image id-key", "KEY", "print the digest by which policies name a key",
     "Prints the SHA-384 of AMD's structure of the public key: ID_KEY_DIGEST "
     "or AUTHOR_KEY_DIGEST of reports, `id_key_digest` or `author_key_digest` "
     "of policies. KEY is a PEM file (the public key is enough) or a pkcs11: "
     "URI.",
     kIdKeyOptions, &IdKey},
    {"image sign", "[IMAGE]", "sign the ID block of an image",
     "An ID block names a launch digest, a guest policy and a security version "
     "(SVN); a host that is given it cannot launch anything else with it, and "
     "reports name the key that signed it. Keys are EC P-384.\n\n"
     "The guest policy is not part of the launch digest: whoever changes it in "
     "an IGVM file leaves the digest as it was. So all that is signed is "
     "printed: compare it with what you built. A policy with debug, "
     "migration_agent or an unknown bit is never signed, nor an IGVM file "
     "without a guest policy.\n\n"
     "A key in a PKCS#11 token is named by its URI; the PIN is read from "
     "--pin-file, or from the file that pin-source= in the URI names:\n\n"
     "  forelock image sign vm1.igvm --output vm1-signed.igvm --svn 3 \\\n"
     "    --id-key 'pkcs11:token=owner;object=id-key' --pin-file pin\n\n"
     "An IGVM file takes the ID block into it. For another VMM, or a flat ROM, "
     "--id-block-out and --id-auth-out write the two structures. "
     "A VMM that takes neither has the digest signed by --digest. What is "
     "written was verified before.",
     kSignOptions, &Sign},
};

}  // namespace

std::span<const hosted::Command> ImageSignCommands() { return kCommands; }

}  // namespace cli
