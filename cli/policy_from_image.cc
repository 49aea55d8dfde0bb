// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_from_image.h"

#include <stdio.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "cli/boot_warnings.h"
#include "cli/image_input.h"
#include "cli/policy_template.h"
#include "cli/report_input.h"
#include "hosted/text.h"
#include "launch/id_block.h"
#include "launch/launch_plan.h"
#include "launch/signing_key.h"
#include "proto/config.h"
#include "sev/id_block.h"
#include "sev/product.h"
#include "verifier/endorsements/amd_roots.h"
#include "verifier/ossl/ossl.h"
#include "verifier/policy/policy.h"

namespace cli {
namespace {

// What a signed image says of its key and SVN. All images have one key.
absl::Status AddIdBlock(const std::string& file,
                        const launch::PlanIdBlock& signed_by,
                        TemplateInput& input) {
  const auto block = sev::ParseIdBlock(signed_by.id_block);
  const auto auth = sev::ParseIdAuth(signed_by.id_auth);
  if (!block.ok() || !auth.ok() ||
      !launch::VerifyIdAuth(signed_by.id_block, *auth).ok()) {
    return hosted::UsageError(
        absl::StrCat(file, ": its ID block does not verify"));
  }
  const std::string id_key = DigestHex(launch::IdKeyDigest(auth->id_key));
  const std::string author_key =
      auth->has_author_key ? DigestHex(launch::IdKeyDigest(auth->author_key))
                           : "";
  const bool first = input.id_key_digest.empty();
  // --id-key without --author-key leaves that open.
  const bool any_author =
      input.any_measurement && input.author_key_digest.empty();
  if (!first && (input.id_key_digest != id_key ||
                 (!any_author && input.author_key_digest != author_key))) {
    return hosted::UsageError(absl::StrCat(
        file, ": signed by another key than --id-key or another image"));
  }
  if (first) {
    input.id_key_digest = id_key;
    input.author_key_digest = author_key;
  }
  // --svn stays; else the lowest of the images.
  if (!input.svn_given) {
    input.minimum_guest_svn =
        first ? block->guest_svn
              : std::min(input.minimum_guest_svn, block->guest_svn);
  }
  return absl::OkStatus();
}

GivenBoot Given(const BootInput& boot) {
  const auto given = [](const std::optional<BootFile>& file) {
    return file ? std::optional(GivenFile{file->path, file->bytes})
                : std::nullopt;
  };
  return {.kernel = given(boot.kernel),
          .initrd = given(boot.initrd),
          .command_line = given(boot.command_line)};
}

absl::Status AddImage(const std::string& file, const GivenBoot& boot,
                      TemplateInput& input, bool& images_want_acpi,
                      std::vector<std::string>& warnings) {
  const auto image = ImageInput::Load(file);
  if (!image.ok()) return image.status();
  const auto config = image->Config();
  if (!config.ok()) return config.status();
  const bool snp = config->platform == proto::Platform::kSnp;
  const auto plan = image->Plan(config->platform);
  if (!plan.ok()) return plan.status();
  if (plan->id_block) {
    const absl::Status status = AddIdBlock(file, *plan->id_block, input);
    if (!status.ok()) return status;
  }
  const std::string vm(config->vm.view());
  if (!input.images.empty() && input.vm != vm) {
    return hosted::UsageError(absl::StrCat("images of two VMs, ", input.vm,
                                           " and ", vm, ": one policy each"));
  }
  if (config->acpi != proto::Acpi::kNone) images_want_acpi = true;
  for (std::string& warning : ExpectedBootWarnings(file, *config, boot)) {
    warnings.push_back(std::move(warning));
  }
  input.vm = vm;
  const size_t slash = file.rfind('/');
  input.images.push_back(
      {absl::StrCat(hosted::Printable(file.substr(slash + 1)), ", platform ",
                    snp ? "snp" : "emulated"),
       DigestHex(launch::MeasurePlan(*plan)), snp});
  return absl::OkStatus();
}

// No processor under the policy's roots would report the digest.
std::vector<std::string> PlatformWarnings(const TemplateInput& input) {
  std::vector<std::string> out;
  const bool emulated = !input.emulated_root.empty();
  for (const TemplateInput::Image& image : input.images) {
    if (!emulated && !image.snp) {
      out.push_back(absl::StrCat(
          image.about,
          ": no AMD processor reports its digest; add --emulated and "
          "--root-sha256, or configure the image with platform = \"snp\""));
    } else if (emulated && image.snp) {
      out.push_back(absl::StrCat(
          image.about,
          ": only a machine that emulates SNP reports its digest under that "
          "root; leave out --emulated for AMD's processors"));
    }
  }
  return out;
}

absl::Status AddOptions(const hosted::Arguments& arguments,
                        const BootInput& boot, TemplateInput& input) {
  if (arguments.Has("emulated") != arguments.Has("root-sha256")) {
    return hosted::UsageError("--emulated and --root-sha256 belong together");
  }
  if (arguments.Has("emulated")) {
    const std::string value = arguments.Value("root-sha256");
    input.emulated_root =
        absl::AsciiStrToLower(absl::StripPrefix(value, "sha256:"));
    verifier::ossl::Digest256 root;
    if (!verifier::ossl::FromHex(input.emulated_root, root)) {
      return hosted::UsageError("--root-sha256 wants 64 hex digits");
    }
    if (verifier::IsAmdRoot(root)) {
      return hosted::UsageError("--root-sha256 is AMD's: leave out --emulated");
    }
  }
  const auto product = ProductGiven(arguments);
  if (!product.ok()) return product.status();
  if (*product && !arguments.Has("emulated")) {
    return hosted::UsageError(
        "--product is for --emulated; edit products by hand");
  }
  input.emulated_product = product->value_or(sev::Product::kMilan);
  const auto text = [](const std::optional<BootFile>& file) {
    return file ? std::optional(verifier::ossl::Hex(file->sha384))
                : std::nullopt;
  };
  input.kernel = text(boot.kernel);
  input.initrd = text(boot.initrd);
  input.command_line = text(boot.command_line);
  if (boot.acpi) input.acpi = verifier::ossl::Hex(*boot.acpi);
  input.acpi_none = boot.acpi_none;
  return absl::OkStatus();
}

absl::Status AddKeys(const hosted::Arguments& arguments, TemplateInput& input) {
  for (const char* option : {"author-key", "svn"}) {
    if (arguments.Has(option) && !arguments.Has("id-key")) {
      return hosted::UsageError(absl::StrCat("--", option, " wants --id-key"));
    }
  }
  const auto digest = [&](std::string_view option, std::string& out) {
    if (!arguments.Has(option)) return absl::OkStatus();
    const auto key =
        launch::LoadPublicKey(KeyNamed(arguments.Value(option), arguments));
    if (key.ok()) out = verifier::ossl::Hex(launch::IdKeyDigest(*key));
    return key.status();
  };
  absl::Status status = digest("id-key", input.id_key_digest);
  if (status.ok()) status = digest("author-key", input.author_key_digest);
  if (status.ok() && arguments.Has("svn") &&
      !absl::SimpleAtoi(arguments.Value("svn"), &input.minimum_guest_svn)) {
    return hosted::UsageError("--svn wants a number from 0 to 4294967295");
  }
  input.any_measurement = arguments.Has("id-key");
  input.svn_given = arguments.Has("svn") || arguments.Has("id-key");
  return status;
}

}  // namespace

absl::Status PolicyFromImage(const hosted::Arguments& arguments) {
  TemplateInput input;
  bool images_want_acpi = false;
  std::vector<std::string> warnings;
  const auto boot = ParseBoot(arguments);
  if (!boot.ok()) return boot.status();
  absl::Status status = AddOptions(arguments, *boot, input);
  if (status.ok()) status = AddKeys(arguments, input);
  for (const std::string& file : arguments.positionals()) {
    if (!status.ok()) return status;
    status = AddImage(file, Given(*boot), input, images_want_acpi, warnings);
  }
  if (!status.ok()) return status;
  if (!images_want_acpi) input.acpi_none = true;
  const std::string text = PolicyTemplate(input);
  const auto policy = verifier::Policy::Parse(text, "the template");
  if (!policy.ok()) return policy.status();
  absl::PrintF("%s", text);
  PrintWarnings(PlatformWarnings(input));
  PrintWarnings(BootWarnings(Given(*boot)));
  PrintWarnings(warnings);
  return absl::OkStatus();
}

}  // namespace cli
