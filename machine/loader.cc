// SPDX-License-Identifier: Apache-2.0
#include "machine/loader.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "launch/id_block.h"
#include "openssl/sha.h"
#include "proto/launch_note.h"
#include "sev/guest_policy.h"
#include "sev/id_block.h"
#include "sev/platform_info.h"
#include "sev/wire_field.h"

namespace machine {
namespace {

using launch::LaunchPlan;
using launch::PlanPage;
using PageArray = std::array<uint8_t, sev::kMeasuredPageSize>;

bool HasContents(sev::PageType type) {
  return type == sev::PageType::kNormal || type == sev::PageType::kVmsa;
}

absl::Status Check(const LaunchPlan& plan) {
  if (plan.pages.empty() || plan.pages.back().type != sev::PageType::kVmsa) {
    return absl::InvalidArgumentError("the plan does not end with a VMSA");
  }
  for (const PlanPage& page : plan.pages) {
    const bool last = &page == &plan.pages.back();
    if ((page.type == sev::PageType::kVmsa) != last) {
      return absl::InvalidArgumentError("the plan has more than one VMSA");
    }
    if (page.gpa % sev::kMeasuredPageSize != 0 ||
        (HasContents(page.type) &&
         page.contents.size() != sev::kMeasuredPageSize)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("page %#x is not a whole page", page.gpa));
    }
  }
  return absl::OkStatus();
}

// SNP_LAUNCH_START, "Actions".
absl::Status CheckPolicy(uint64_t policy, const psp::ChipModel& chip) {
  const auto refused = [policy](std::string_view why) {
    return absl::FailedPreconditionError(
        absl::StrFormat("guest policy %#x: %s", policy, why));
  };
  if ((policy & sev::kPolicyReservedMustBeOne) == 0) {
    return refused("bit 17 must be one");
  }
  if ((policy & ~sev::kPolicyKnownBits) != 0) {
    return refused("reserved bits are set");
  }
  if ((policy & sev::kPolicySmt) == 0 &&
      (chip.platform_info & sev::kPlatformInfoSmtEnabled) != 0) {
    return refused("it forbids SMT, which is on");
  }
  const std::pair wanted(sev::PolicyAbiMajor(policy),
                         sev::PolicyAbiMinor(policy));
  const std::pair has(chip.firmware.major, chip.firmware.minor);
  if (wanted > has) {
    return refused(absl::StrFormat("it wants ABI %d.%d, the firmware has %d.%d",
                                   wanted.first, wanted.second, has.first,
                                   has.second));
  }
  return absl::OkStatus();
}

// SNP_LAUNCH_FINISH with ID_BLOCK_EN.
absl::Status ApplyIdBlock(const launch::PlanIdBlock& given,
                          psp::GuestContext& context) {
  const auto block = sev::ParseIdBlock(given.id_block);
  const auto auth = sev::ParseIdAuth(given.id_auth);
  if (!block.ok() || !auth.ok()) {
    return absl::FailedPreconditionError("the ID block is malformed");
  }
  if (block->launch_digest != context.measurement) {
    return absl::FailedPreconditionError(
        "the ID block is for another launch digest");
  }
  if (block->policy != context.policy) {
    return absl::FailedPreconditionError("the ID block is for another policy");
  }
  if (!launch::VerifyIdAuth(given.id_block, *auth).ok()) {
    return absl::FailedPreconditionError(
        "the ID block's signatures do not verify");
  }
  context.guest_svn = block->guest_svn;
  context.family_id = block->family_id;
  context.image_id = block->image_id;
  context.id_key_digest = launch::IdKeyDigest(auth->id_key);
  context.author_key_enabled = auth->has_author_key;
  if (auth->has_author_key) {
    context.author_key_digest = launch::IdKeyDigest(auth->author_key);
  }
  return absl::OkStatus();
}

// The only processor that this machine has.
constexpr uint32_t kProcessors = 1;

// The part of `value`, which begins at `gpa`, that is in this page.
void PutInto(PageArray& page, uint64_t page_gpa, uint64_t gpa,
             base::Bytes value) {
  for (size_t i = 0; i < value.size(); ++i) {
    const uint64_t at = gpa + i - page_gpa;
    if (at < page.size()) page[at] = value[i];
  }
}

PageArray ParametersOf(const PlanPage& page, const LaunchPlan& plan) {
  PageArray contents{};
  for (const launch::PlanParameter& parameter : plan.parameters) {
    std::vector<uint8_t> value(sizeof(kProcessors));
    switch (parameter.kind) {
      case launch::PlanParameter::Kind::kVpCount:
        base::StoreLe(kProcessors, base::MutableBytes(value).first<4>());
        break;
      case launch::PlanParameter::Kind::kMadt:
        value = MakeMadt(kProcessors);
        break;
    }
    if (value.size() > parameter.room) continue;
    PutInto(contents, page.gpa, parameter.gpa, value);
  }
  return contents;
}

// Of a page that the plan leaves to host or firmware.
PageArray GivenPage(const PlanPage& page, const LaunchPlan& plan,
                    const LaunchOptions& options,
                    const psp::Firmware& firmware) {
  switch (page.type) {
    case sev::PageType::kSecrets:
      return firmware.SecretsPage();
    case sev::PageType::kCpuid:
      return MakeCpuidPage(options.cpuid);
    case sev::PageType::kUnmeasured:
      if (plan.memory_map.has_value() && page.gpa == plan.memory_map->gpa) {
        return MakeMemoryMapPage(options.memory_map);
      }
      return ParametersOf(page, plan);
    case sev::PageType::kNormal:
    case sev::PageType::kVmsa: {
      PageArray contents;
      std::copy(page.contents.begin(), page.contents.end(), contents.begin());
      return contents;
    }
    case sev::PageType::kZero:
      return {};
  }
  return {};
}

bool FromHost(sev::PageType type) {
  return type == sev::PageType::kCpuid || type == sev::PageType::kUnmeasured;
}

}  // namespace

std::array<uint8_t, sev::kMeasuredPageSize> MakeMemoryMapPage(
    std::span<const MemoryMapEntry> entries) {
  PageArray page{};
  size_t at = 0;
  for (const MemoryMapEntry& entry : entries) {
    // The last one stays empty: it ends the map.
    if (at + 2 * proto::kMemoryMapEntrySize > page.size()) break;
    const auto out =
        std::span(page).subspan(at).first<proto::kMemoryMapEntrySize>();
    base::StoreLe<uint64_t>(entry.gpa / sev::kMeasuredPageSize,
                            out.subspan<0, 8>());
    base::StoreLe<uint64_t>(entry.size / sev::kMeasuredPageSize,
                            out.subspan<8, 8>());
    base::StoreLe<uint16_t>(entry.type, out.subspan<16, 2>());
    at += proto::kMemoryMapEntrySize;
  }
  return page;
}

std::vector<uint8_t> MakeMadt(uint32_t processors) {
  constexpr size_t kHeader = 44, kLocalApic = 8, kChecksum = 9;
  constexpr uint32_t kLocalApicAddress = 0xFEE00000;
  constexpr std::string_view kSignature = "APIC", kOem = "FRLOCK",
                             kTable = "SNPMACHN";
  std::vector<uint8_t> table(kHeader + kLocalApic * processors);
  const base::MutableBytes out(table);
  std::copy(kSignature.begin(), kSignature.end(), table.begin());
  base::StoreLe(static_cast<uint32_t>(table.size()), out.subspan<4, 4>());
  table[8] = 1;  // revision
  std::copy(kOem.begin(), kOem.end(), table.begin() + 10);
  std::copy(kTable.begin(), kTable.end(), table.begin() + 16);
  base::StoreLe(kLocalApicAddress, out.subspan<36, 4>());
  for (uint32_t i = 0; i < processors; ++i) {
    const auto entry =
        out.subspan(kHeader + kLocalApic * i).first<kLocalApic>();
    entry[1] = kLocalApic;  // type 0
    entry[2] = entry[3] = static_cast<uint8_t>(i);
    entry[4] = 1;  // enabled
  }
  uint8_t sum = 0;
  for (const uint8_t byte : table) sum = static_cast<uint8_t>(sum + byte);
  table[kChecksum] = static_cast<uint8_t>(-sum);
  return table;
}

sev::LaunchDigest ChainDigest(const LaunchPlan& plan) {
  namespace p = sev::page_info_layout;
  sev::LaunchDigest digest{};
  for (const PlanPage& page : plan.pages) {
    std::array<uint8_t, sev::kPageInfoSize> info{};
    const std::span<uint8_t, sev::kPageInfoSize> out(info);
    std::copy(digest.begin(), digest.end(), info.begin());
    if (HasContents(page.type)) {
      std::vector<uint8_t> contents = page.contents;
      // Measured "as if those fields contained zero".
      if (page.type == sev::PageType::kVmsa &&
          contents.size() == sev::kVmsaSize) {
        const auto vmsa = std::span(contents).first<sev::kVmsaSize>();
        sev::PutLe<uint64_t, sev::vmsa_layout::GuestTscScale>(0, vmsa);
        sev::PutLe<uint64_t, sev::vmsa_layout::GuestTscOffset>(0, vmsa);
      }
      SHA384(contents.data(), contents.size(),
             info.data() + p::Contents::kOffset);
    }
    sev::PutLe<uint16_t, p::Length>(sizeof(info), out);
    sev::PutLe<uint8_t, p::Type>(static_cast<uint8_t>(page.type), out);
    sev::PutLe<uint64_t, p::Gpa>(page.gpa, out);
    SHA384(info.data(), info.size(), digest.data());
  }
  return digest;
}

absl::StatusOr<Launched> Launch(const LaunchPlan& plan,
                                const psp::ChipModel& chip,
                                const LaunchOptions& options,
                                LaunchMemory& memory, psp::Firmware& firmware) {
  if (absl::Status good = Check(plan); !good.ok()) return good;
  if (absl::Status good = CheckPolicy(plan.policy, chip); !good.ok()) {
    return good;
  }
  Launched launched;
  launched.context.measurement = ChainDigest(plan);
  launched.context.policy = plan.policy;
  launched.context.host_data = options.host_data;
  if (plan.id_block.has_value()) {
    const absl::Status good = ApplyIdBlock(*plan.id_block, launched.context);
    if (!good.ok()) return good;
  }
  firmware.Launch(launched.context);
  for (const PlanPage& page : plan.pages) {
    PageArray contents = GivenPage(page, plan, options, firmware);
    if (page.type == sev::PageType::kVmsa) {
      std::copy(contents.begin(), contents.end(), launched.vmsa.begin());
      continue;
    }
    if (FromHost(page.type) && options.edit_host_page) {
      options.edit_host_page(page.type, contents);
    }
    if (!memory.LaunchPage(page.gpa, contents)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("page %#x is outside RAM or there twice", page.gpa));
    }
    launched.pages.push_back(page.gpa);
    if (page.type == sev::PageType::kSecrets) launched.secrets_page = page.gpa;
    if (page.type == sev::PageType::kCpuid) launched.cpuid_page = page.gpa;
  }
  return launched;
}

}  // namespace machine
