// SPDX-License-Identifier: Apache-2.0
#include "cli/image_measure.h"

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/files.h"
#include "cli/image_input.h"
#include "cli/page_list.h"
#include "hosted/text.h"
#include "launch/id_block_check.h"
#include "launch/igvm_plan.h"
#include "launch/launch_plan.h"
#include "nlohmann/json.hpp"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using Kind = hosted::Option::Kind;
using Json = nlohmann::ordered_json;
using proto::Platform;

constexpr size_t kMaxPageListSize = 64 << 20;

constexpr hosted::Option kPlatformOption = {
    "platform", "snp|emulated|both", Kind::kOptional,
    "whose digest; the one the image is configured for, if left out"};
constexpr hosted::Option kCheckKvmOption = {
    "check-kvm", "", Kind::kSwitch,
    "end with 3 if KVM measures other values than an IGVM file's VMSA has"};
constexpr hosted::Option kMeasureOptions[] = {
    kPlatformOption,
    {"pages", "", Kind::kSwitch, "page by page, with the digest so far"},
    {"page-list", "FILE", Kind::kOptional,
     "measure this list of pages (JSON) instead of an image"},
    kLoaderOption,
    kZeroPagesOption,
    kCpuSignatureOption,
    kCheckKvmOption,
    {"json", "", Kind::kSwitch, "one JSON object instead"},
};

std::string_view TypeName(sev::PageType type) {
  switch (type) {
    case sev::PageType::kNormal:
      return "normal";
    case sev::PageType::kVmsa:
      return "vmsa";
    case sev::PageType::kZero:
      return "zero";
    case sev::PageType::kUnmeasured:
      return "unmeasured";
    case sev::PageType::kSecrets:
      return "secrets";
    case sev::PageType::kCpuid:
      return "cpuid";
  }
  return "unknown";
}

Json PagesJson(const std::vector<launch::MeasuredPage>& pages) {
  Json json = Json::array();
  for (const launch::MeasuredPage& page : pages) {
    json.push_back({{"gpa", absl::StrFormat("0x%x", page.gpa)},
                    {"type", std::string(TypeName(page.type))},
                    {"contents_sha384", DigestHex(page.contents)},
                    {"digest", DigestHex(page.digest)}});
  }
  return json;
}

void PrintPages(const std::vector<launch::MeasuredPage>& pages) {
  for (const launch::MeasuredPage& page : pages) {
    absl::PrintF("0x%012x %-10s %s %s\n", page.gpa, TypeName(page.type),
                 DigestHex(page.contents), DigestHex(page.digest));
  }
}

struct Measured {
  Platform platform = Platform::kEmulated;
  std::vector<launch::MeasuredPage> pages;
  std::string digest;
};

absl::StatusOr<Measured> MeasureOn(const ImageInput& image, Platform platform,
                                   const ImageInput::Launch& launch) {
  const auto plan = image.Plan(platform, launch);
  if (!plan.ok()) return plan.status();
  Measured measured = {.platform = platform,
                       .pages = launch::MeasurePages(*plan)};
  measured.digest = DigestHex(launch::MeasurePlan(*plan));
  return measured;
}

absl::StatusOr<std::optional<Platform>> PlatformGiven(
    const hosted::Arguments& arguments) {
  const std::string text = arguments.Value("platform");
  if (text == "snp") return Platform::kSnp;
  if (text == "emulated") return Platform::kEmulated;
  if (!arguments.Has("platform")) return std::nullopt;
  return hosted::UsageError("--platform wants snp or emulated");
}

absl::StatusOr<int> MeasureList(const hosted::Arguments& arguments) {
  const std::string path = arguments.Value("page-list");
  const auto text = ReadInput(path, kMaxPageListSize);
  if (!text.ok()) return text.status();
  const auto list = ReadPageList(*text);
  if (!list.ok()) return list.status();
  if (arguments.Has("json")) {
    Json json;
    json["launch_digest"] = DigestHex(list->digest);
    if (arguments.Has("pages")) json["pages"] = PagesJson(list->pages);
    absl::PrintF("%s\n", json.dump());
  } else {
    if (arguments.Has("pages")) PrintPages(list->pages);
    absl::PrintF("%s\n", DigestHex(list->digest));
  }
  if (!list->expected || *list->expected == list->digest)
    return hosted::kExitOk;
  absl::FPrintF(stderr, "%s expects %s\n", hosted::Printable(path),
                DigestHex(*list->expected));
  return hosted::kExitInvalid;
}

void PrintMeasured(const std::vector<Measured>& all, bool pages) {
  for (const Measured& measured : all) {
    if (pages) PrintPages(measured.pages);
    if (all.size() > 1) {
      absl::PrintF("%s %s\n", NameOf(measured.platform), measured.digest);
    } else {
      absl::PrintF("%s\n", measured.digest);
    }
  }
}

void PrintMeasuredJson(const std::vector<Measured>& all, Platform first,
                       bool pages) {
  Json json;
  for (const Measured& measured : all) {
    const std::string name(NameOf(measured.platform));
    if (measured.platform == first) {
      json["platform"] = name;
      json["launch_digest"] = measured.digest;
      if (pages) json["pages"] = PagesJson(measured.pages);
    }
  }
  for (const Measured& measured : all) {
    json["launch_digests"][std::string(NameOf(measured.platform))] =
        measured.digest;
  }
  absl::PrintF("%s\n", json.dump());
}

absl::StatusOr<int> Measure(const hosted::Arguments& arguments) {
  if (arguments.Has("page-list") != arguments.positionals().empty()) {
    return hosted::UsageError("give either IMAGE or --page-list");
  }
  if (arguments.Has("page-list")) return MeasureList(arguments);
  const bool both = arguments.Value("platform") == "both";
  const auto given =
      both ? std::optional<Platform>() : PlatformGiven(arguments);
  if (!given.ok()) return given.status();
  const auto launch = LaunchGiven(arguments);
  if (!launch.ok()) return launch.status();
  const auto image = ImageInput::Load(arguments.positional(0));
  if (!image.ok()) return image.status();
  const Platform first = given->value_or(image->DefaultPlatform());
  std::vector<Measured> all;
  for (const Platform platform : {Platform::kSnp, Platform::kEmulated}) {
    const bool wanted = both || platform == first;
    // JSON names every digest that there is.
    if (!wanted && !arguments.Has("json")) continue;
    auto measured = MeasureOn(*image, platform, *launch);
    if (!measured.ok() && wanted) return measured.status();
    if (measured.ok()) all.push_back(*std::move(measured));
  }
  if (arguments.Has("json")) {
    PrintMeasuredJson(all, first, arguments.Has("pages"));
  } else {
    PrintMeasured(all, arguments.Has("pages"));
  }
  const bool replaces = WarnIfKvmReplaces(*image, *launch);
  return replaces && arguments.Has("check-kvm") ? hosted::kExitInvalid
                                                : hosted::kExitOk;
}

// --- verify

constexpr hosted::Option kVerifyOptions[] = {
    {"digest", "HEX", Kind::kRequired, "the launch digest it should have"},
    {"platform", "snp|emulated", Kind::kOptional,
     "whose digest; the one the image is configured for, if left out"},
    kLoaderOption,
    kZeroPagesOption,
    kCpuSignatureOption,
    kCheckKvmOption,
};

constexpr hosted::ExitCode kVerifyExitCodes[] = {
    {hosted::kExitOk, "the image has this digest, and its ID block is sound"},
    {hosted::kExitInvalid,
     "it has another digest, or an ID block that would refuse "
     "its launch; with --check-kvm, KVM measures another VMSA"},
};

// What the digest does not cover, for the one who compares it.
void PrintGuestPolicy(const ImageInput& image) {
  if (image.kind() != ImageKind::kIgvm) return;
  const auto policy = launch::SnpPolicy(image.igvm());
  if (policy.ok()) {
    absl::PrintF("guest policy 0x%x (%s): not in the launch digest\n", *policy,
                 PolicyBitNames(*policy));
  } else {
    absl::PrintF("no guest policy in the file\n");
  }
}

absl::StatusOr<int> Verify(const hosted::Arguments& arguments) {
  sev::LaunchDigest wanted;
  if (!verifier::ossl::FromHex(arguments.Value("digest"), wanted)) {
    return hosted::UsageError("--digest wants 96 hex digits");
  }
  const auto given = PlatformGiven(arguments);
  if (!given.ok()) return given.status();
  const auto launch = LaunchGiven(arguments);
  if (!launch.ok()) return launch.status();
  const auto image = ImageInput::Load(arguments.positional(0));
  if (!image.ok()) return image.status();
  const Platform platform = given->value_or(image->DefaultPlatform());
  const auto plan = image->Plan(platform, *launch);
  if (!plan.ok()) return plan.status();
  const sev::LaunchDigest digest = launch::MeasurePlan(*plan);
  std::vector<std::string> errors;
  if (digest != wanted) {
    errors.push_back(absl::StrCat("it differs: the launch digest (",
                                  NameOf(platform), ") is ", DigestHex(digest),
                                  ", not ", DigestHex(wanted)));
  }
  if (plan->id_block) {
    for (std::string& error : launch::CheckIdBlock(
             *plan->id_block, launch::FinishedLaunch{.digest = digest,
                                                     .policy = plan->policy})) {
      errors.push_back(std::move(error));
    }
  }
  const bool replaces = WarnIfKvmReplaces(*image, *launch);
  for (const std::string& error : errors) absl::PrintF("%s\n", error);
  if (!errors.empty()) return hosted::kExitInvalid;
  PrintGuestPolicy(*image);
  if (replaces && arguments.Has("check-kvm")) return hosted::kExitInvalid;
  absl::PrintF("verified (%s)%s\n", NameOf(platform),
               plan->id_block ? ", with its ID block" : "");
  return hosted::kExitOk;
}

constexpr hosted::ExitCode kMeasureExitCodes[] = {
    {hosted::kExitInvalid,
     "the page list expects another digest; with --check-kvm, KVM measures "
     "another VMSA"},
};

constexpr hosted::Command kCommands[] = {
    {"image measure", "[IMAGE]", "print the launch digest of an image",
     "Computes what the secure processor should report for IMAGE, and a "
     "policy's `measurement` names. IMAGE is an ELF file, an IGVM file (of "
     "whoever made it) or a flat ROM.\n\n"
     "An ELF file has two digests: that of the emulated platform, and that of "
     "the IGVM file which `forelock image build` makes of it. The one for its "
     "configuration is printed.\n\n"
     "--pages prints a line for each page in the order of measurement: "
     "guest-physical address, type, SHA-384 of its contents (zeros where they "
     "are not measured), digest so far.\n\n"
     "KVM makes the VMSA that the firmware measures itself: of an IGVM file "
     "whose VMSA has values that do not come through QEMU and KVM, each is "
     "named on standard error with what KVM puts. No host reports such a "
     "file's digest.\n\n"
     "A digest of SEV-SNP is that of one virtual CPU: each further one adds "
     "the register state that its VMM gives it.",
     kMeasureOptions, &Measure, kMeasureExitCodes},
    {"image verify", "IMAGE", "compare an image with a launch digest",
     "Compares the launch digest of IMAGE with --digest. If IMAGE has an ID "
     "block, that must be of this digest and of the image's guest policy, and "
     "its signatures must verify: as the secure processor has it. The guest "
     "policy of an IGVM file is printed: whoever changes it leaves the digest "
     "as it was. Warns of a VMSA that KVM changes, as image measure does.",
     kVerifyOptions, &Verify, kVerifyExitCodes},
};

}  // namespace

std::span<const hosted::Command> ImageMeasureCommands() { return kCommands; }

}  // namespace cli
