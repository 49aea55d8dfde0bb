// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_template.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace cli {
namespace {

constexpr std::string_view kAmdProducts =
    R"(# Whose reports count: AMD's root key of each product, and the product. Bergamo
# and Siena are "genoa". Milan is left out: it is publicly claimed that a host's
# software can read the seed of all its signing keys (arXiv 2605.12990;
# docs/limitations.md, "Milan"). Who takes that risk adds "amd:milan", "milan" and
# a table [minimum_tcb.milan] by hand.
roots = ["amd:genoa", "amd:turin"]
products = ["genoa", "turin"]
report_versions = [3, 4, 5]         # 2 is of firmware older than the minimum below
tcb_above_current = "forbidden"     # no firmware reports what it does not run
)";

constexpr std::string_view kLaunchRest =
    R"(family_id = "any"                   # these and the SVN come with the ID block: of
image_id = "any"                    # use only where id_key_digest is a list
host_data = "any"                   # what the host wrote; never an identity

# How the guest was launched: "required", "forbidden" or "any" for each bit.
[guest_policy]
)";

constexpr std::string_view kGuestPolicyRest =
    R"(migration_agent = "forbidden"       # no policy can allow this,
debug = "forbidden"                 # nor this
single_socket = "any"
cxl_allow = "forbidden"             # no guest memory on CXL devices
mem_aes_256_xts = "any"
rapl_disabled = "any"               # "required": the host cannot meter energy
ciphertext_hiding_dram = "any"      # "required": the host cannot read ciphertext
page_swap_disabled = "any"
minimum_abi = "any"
unknown_bits = []

# How the host is set up, by its firmware.
[platform_info]
)";

constexpr std::string_view kAmdSigner = R"(
[signer]
vlek = "refused"                    # or CSP ids: ["CN=cc-us-east-2.amazonaws.com"]
chips = "any"                       # or ids, of 128 hex digits; Turin: 16
chips_denied = []
crl = "required"                    # AMD's revocation list, signed and current

# Security versions that the firmware must have at least: what signed the report
# (reported), what the host can no longer go back behind (committed), what the
# guest was launched on (launch). EDIT: the numbers are those of reports that
# people published, a start only. Compare them with the minimum TCB in AMD's
# security bulletins, and raise them as your hosts are updated. Microcode
# versions are counted for each CPU model: 84 is a Genoa's; a Bergamo or Siena
# counts from its own, lower numbers (27 was seen) and is refused as it stands.
[minimum_tcb.genoa]
reported = { boot_loader = 10, tee = 0, snp = 23, microcode = 84 }
committed = { boot_loader = 10, tee = 0, snp = 23, microcode = 84 }
launch = { boot_loader = 10, tee = 0, snp = 23, microcode = 84 }

[minimum_tcb.turin]
reported = { fmc = 1, boot_loader = 1, tee = 1, snp = 4, microcode = 81 }
committed = { fmc = 1, boot_loader = 1, tee = 1, snp = 4, microcode = 81 }
launch = { fmc = 1, boot_loader = 1, tee = 1, snp = 4, microcode = 81 }
)";

constexpr std::string_view kEmulatedSigner = R"(
[signer]
vlek = "refused"
chips = "any"
chips_denied = []
crl = "if-present"
)";

// As the emulated processors have it, Bergamo's and Siena's lower microcode
// among the Genoas'.
std::string_view EmulatedFloor(sev::Product product) {
  switch (product) {
    case sev::Product::kMilan:
      return "{ boot_loader = 4, tee = 0, snp = 24, microcode = 219 }";
    case sev::Product::kGenoa:
      return "{ boot_loader = 10, tee = 0, snp = 27, microcode = 30 }";
    case sev::Product::kTurin:
      return "{ fmc = 1, boot_loader = 1, tee = 1, snp = 4, microcode = 81 }";
  }
  __builtin_trap();
}

constexpr std::string_view kPlatformInfoRest =
    R"(tsme_enabled = "any"
ecc_enabled = "any"
rapl_disabled = "any"
ciphertext_hiding_dram_enabled = "any"
iommu_write_safe = "any"
tio_enabled = "any"
)";

std::string Word(sev::Product product) {
  return absl::AsciiStrToLower(sev::NameOf(product));
}

void AppendHead(const TemplateInput& input, std::string& out) {
  const bool emulated = !input.emulated_root.empty();
  absl::StrAppend(
      &out, "# What VM ", input.vm, " may have, and on which conditions",
      emulated ? ": EMULATED evidence, which protects nothing.\n" : ".\n",
      "# A draft: read every line, and decide where it says EDIT. A check that "
      "is off\n"
      "# is written \"any\". docs/policy.md is the reference; `forelock policy "
      "check`\n# loads this file and says what it leaves open.\n"
      "version = 2\nname = \"",
      input.vm, "\"\nvms = [\"", input.vm, "\"]\nsecrets = [\"", input.vm,
      "/*\"]\n\n");
  if (emulated) {
    absl::StrAppend(
        &out,
        "# The test root of one emulated processor, and what it says it is; "
        "never one of\n# AMD's.\nroots = [\"sha256:",
        input.emulated_root, "\"]\nproducts = [\"",
        Word(input.emulated_product),
        "\"]\nreport_versions = \"any\"\ntcb_above_current = \"forbidden\"\n");
  } else {
    out += kAmdProducts;
  }
}

void AppendKeys(const TemplateInput& input, std::string& out) {
  if (input.id_key_digest.empty()) {
    out +=
        "id_key_digest = \"any\"               # of the key that signs ID "
        "blocks, if you use them\nauthor_key_digest = \"any\"\n"
        "minimum_guest_svn = \"any\"\n";
    return;
  }
  absl::StrAppend(
      &out,
      "# Who has this key decides what runs; raise the SVN to shut out "
      "what it signed before.\nid_key_digest = [\"",
      input.id_key_digest, "\"]\nauthor_key_digest = ",
      input.author_key_digest.empty()
          ? "\"any\""
          : absl::StrCat("[\"", input.author_key_digest, "\"]"),
      "\nminimum_guest_svn = ", input.minimum_guest_svn, "\n");
}

void AppendMeasurement(const TemplateInput& input, std::string& out) {
  if (input.any_measurement) {
    out +=
        "measurement = \"any\"                 # what id_key_digest signed:\n";
    for (const TemplateInput::Image& image : input.images) {
      absl::StrAppend(&out, "#   ", image.digest, "  ", image.about, "\n");
    }
    return;
  }
  if (input.emulated_root.empty() &&
      !std::ranges::all_of(input.images, &TemplateInput::Image::snp)) {
    out +=
        "# EDIT: a digest as the emulated processor measures an image. SNP "
        "hardware\n# measures more pages than these: configure the image for "
        "platform snp, and\n# put the digest of that one here.\n";
  }
  out += "measurement = [\n";
  for (const TemplateInput::Image& image : input.images) {
    absl::StrAppend(&out, "  \"", image.digest, "\",  # ", image.about, "\n");
  }
  out += "]\n";
}

void AppendLaunch(const TemplateInput& input, std::string& out) {
  out += "\n# What was launched.\n[launch]\n";
  AppendMeasurement(input, out);
  AppendKeys(input, out);
  out += kLaunchRest;
}

void AppendBits(const TemplateInput& input, std::string& out) {
  const bool emulated = !input.emulated_root.empty();
  // KVM launches no SNP guest whose policy forbids SMT (snp_launch_start()).
  const bool snp =
      std::ranges::any_of(input.images, &TemplateInput::Image::snp);
  out += emulated ? "smt = \"any\"\n"
         : snp    ? "smt = \"any\"                         # KVM demands it; "
                    "smt_enabled decides\n"
                  : "smt = \"forbidden\"                   # no other guest "
                    "on a sibling thread\n";
  out += kGuestPolicyRest;
  if (emulated) {
    out += "smt_enabled = \"any\"\nalias_check_complete = \"any\"\n";
  } else {
    out +=
        "smt_enabled = \"forbidden\"           # no other guest on a sibling "
        "thread\n"
        "alias_check_complete = \"required\"   # no memory module lies about "
        "its "
        "size\n";
  }
  out += kPlatformInfoRest;
}

void AppendFile(std::string_view key, const std::optional<std::string>& digest,
                std::string_view where, std::string& out) {
  absl::StrAppend(&out, key,
                  " = [\"sha384:", digest ? *digest : std::string(96, '0'),
                  "\"]", digest ? "" : "  # EDIT: ", digest ? "" : where, "\n");
}

void AppendBoot(const TemplateInput& input, std::string& out) {
  out +=
      "\n# What the guest boots, as it attests it. Zeros match nothing.\n"
      "[boot]\n";
  AppendFile("kernel", input.kernel, "sha384sum of the kernel", out);
  AppendFile("initrd", input.initrd, "sha384sum of the initramfs", out);
  AppendFile("command_line", input.command_line,
             "sha384sum of the command line's file", out);
  if (input.acpi_none) {
    out += "acpi = \"none\"  # as the image is configured\n";
    return;
  }
  AppendFile("acpi", input.acpi,
             "what the guest prints: boot manifest: acpi sha384:...", out);
}

}  // namespace

std::string PolicyTemplate(const TemplateInput& input) {
  std::string out;
  AppendHead(input, out);
  out += "unattested_boot = false             # true: [boot] may say \"any\"\n";
  AppendLaunch(input, out);
  AppendBits(input, out);
  if (input.emulated_root.empty()) {
    out += kAmdSigner;
  } else {
    const std::string_view floor = EmulatedFloor(input.emulated_product);
    absl::StrAppend(&out, kEmulatedSigner,
                    "\n# What the emulated processor says of its firmware.\n"
                    "[minimum_tcb.",
                    Word(input.emulated_product), "]\nreported = ", floor,
                    "\ncommitted = ", floor, "\nlaunch = ", floor, "\n");
  }
  AppendBoot(input, out);
  return out;
}

}  // namespace cli
