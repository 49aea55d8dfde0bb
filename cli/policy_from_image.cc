// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_from_image.h"

#include <stdio.h>

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "cli/policy_template.h"
#include "cli/report_input.h"
#include "launch/elf.h"
#include "launch/id_block.h"
#include "launch/image.h"
#include "launch/image_plan.h"
#include "launch/launch_plan.h"
#include "launch/measure.h"
#include "launch/signing_key.h"
#include "proto/config.h"
#include "sev/product.h"
#include "verifier/evidence/amd_roots.h"
#include "verifier/ossl/ossl.h"
#include "verifier/policy/policy.h"

namespace cli {
namespace {

absl::StatusOr<sev::LaunchDigest> SnpDigest(base::Bytes image) {
  const auto plan = launch::PlanOfImage(image);
  if (!plan.ok()) return plan.status();
  return launch::MeasurePlan(*plan);
}

absl::Status AddImage(const std::string& file, TemplateInput& input,
                      bool& images_want_acpi) {
  const auto image = launch::ReadFile(file, launch::Elf::kMaxFileSize);
  if (!image.ok()) return image.status();
  const auto config = launch::ConfigOfImage(*image);
  if (!config.ok()) return config.status();
  const bool snp = config->platform == proto::Platform::kSnp;
  const auto digest =
      snp ? SnpDigest(*image) : launch::MeasureEmulatedImage(*image);
  if (!digest.ok()) return digest.status();
  const std::string vm(config->vm.view());
  if (!input.images.empty() && input.vm != vm) {
    return UsageError(absl::StrCat("images of two VMs, ", input.vm, " and ", vm,
                                   ": one policy each"));
  }
  if (config->acpi != proto::Acpi::kNone) images_want_acpi = true;
  input.vm = vm;
  const size_t slash = file.rfind('/');
  input.images.push_back({absl::StrCat(Printable(file.substr(slash + 1)),
                                       ", platform ", snp ? "snp" : "emulated"),
                          verifier::ossl::Hex(*digest), snp});
  return absl::OkStatus();
}

absl::Status AddOptions(const Arguments& arguments, TemplateInput& input) {
  if (arguments.Has("emulated") != arguments.Has("root-sha256")) {
    return UsageError("--emulated and --root-sha256 belong together");
  }
  if (arguments.Has("emulated")) {
    const std::string value = arguments.Value("root-sha256");
    input.emulated_root =
        absl::AsciiStrToLower(absl::StripPrefix(value, "sha256:"));
    verifier::ossl::Digest256 root;
    if (!verifier::ossl::FromHex(input.emulated_root, root)) {
      return UsageError("--root-sha256 wants 64 hex digits");
    }
    if (verifier::IsAmdRoot(root)) {
      return UsageError("--root-sha256 is AMD's: leave out --emulated");
    }
  }
  const auto product = ProductGiven(arguments);
  if (!product.ok()) return product.status();
  if (*product && !arguments.Has("emulated")) {
    return UsageError("--product is for --emulated; edit products by hand");
  }
  input.emulated_product = product->value_or(sev::Product::kMilan);
  const auto boot = ParseBoot(arguments);
  if (!boot.ok()) return boot.status();
  const auto text = [](const std::optional<BootFile>& file) {
    return file ? std::optional(verifier::ossl::Hex(file->sha384))
                : std::nullopt;
  };
  input.kernel = text(boot->kernel);
  input.initrd = text(boot->initrd);
  input.command_line = text(boot->command_line);
  if (boot->acpi) input.acpi = verifier::ossl::Hex(*boot->acpi);
  input.acpi_none = boot->acpi_none;
  return absl::OkStatus();
}

absl::Status AddKeys(const Arguments& arguments, TemplateInput& input) {
  for (const char* option : {"author-key", "svn"}) {
    if (arguments.Has(option) && !arguments.Has("id-key")) {
      return UsageError(absl::StrCat("--", option, " wants --id-key"));
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
    return UsageError("--svn wants a number from 0 to 4294967295");
  }
  input.any_measurement = arguments.Has("id-key");
  return status;
}

}  // namespace

absl::Status PolicyFromImage(const Arguments& arguments) {
  TemplateInput input;
  bool images_want_acpi = false;
  absl::Status status = AddOptions(arguments, input);
  if (status.ok()) status = AddKeys(arguments, input);
  for (const std::string& file : arguments.positionals()) {
    if (!status.ok()) return status;
    status = AddImage(file, input, images_want_acpi);
  }
  if (!status.ok()) return status;
  if (!images_want_acpi) input.acpi_none = true;
  const std::string text = PolicyTemplate(input);
  const auto policy = verifier::Policy::Parse(text, "the template");
  if (!policy.ok()) return policy.status();
  absl::PrintF("%s", text);
  return absl::OkStatus();
}

}  // namespace cli
