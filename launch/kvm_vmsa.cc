// SPDX-License-Identifier: Apache-2.0
#include "launch/kvm_vmsa.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sev/wire_field.h"

namespace launch {
namespace {

namespace layout = sev::vmsa_layout;
namespace parts = sev::vmsa_segment_layout;
using Page = std::span<const uint8_t, sev::kVmsaSize>;

constexpr uint64_t kCr0Pe = 1 << 0;
constexpr uint64_t kCr0Et = 1 << 4;
constexpr uint64_t kCr0Ne = 1 << 5;
constexpr uint64_t kCr0Caching = uint64_t{1} << 29 | uint64_t{1} << 30;
constexpr uint64_t kCr0Pg = uint64_t{1} << 31;
constexpr uint64_t kCr4Pae = 1 << 5;
constexpr uint64_t kCr4Mce = 1 << 6;
constexpr uint64_t kEferLme = 1 << 8;
constexpr uint64_t kEferLma = 1 << 10;
constexpr uint64_t kRflagsFixed = 0x2;
constexpr uint64_t kDr7Fixed = 0x400;
constexpr uint64_t kXcr0X87 = 0x1;
constexpr uint64_t kLow32 = 0xFFFFFFFF;
constexpr uint16_t kFcwReset = 0x37F;
constexpr uint32_t kMxcsrReset = 0x1F80;
// Type, S, DPL, P, AVL, L, D/B, G: what a descriptor has.
constexpr uint16_t kAttributes = 0xFFF;
constexpr int kDplShift = 5;
constexpr uint64_t kDplMask = 3;

struct FeatureName {
  int bit;
  std::string_view name;
};
// Spec: AMD 24593, SEV_STATUS; a VMSA has them shifted down by 2.
constexpr FeatureName kFeatures[] = {
    {1, "vTOM"},
    {2, "reflect #VC"},
    {3, "restricted injection"},
    {4, "alternate injection"},
    {5, "debug swap"},
    {6, "prevent host IBS"},
    {7, "BTB isolation"},
    {8, "VMPL SSS"},
    {9, "secure TSC"},
    {14, "VMSA register protection"},
    {15, "SMT protection"},
};
// KVM has these if processor and kernel do, and hands them on unchanged.
constexpr uint64_t kKvmFeatures = sev::kSevFeatureSnp | 1 << 5 | 1 << 9;

class Findings {
 public:
  explicit Findings(Page page) : page_(page) {}

  void Replaced(std::string_view field, uint64_t value, uint64_t instead,
                std::string_view why = "") {
    if (value == instead) return;
    lines_.push_back(absl::StrFormat("%s is 0x%x, KVM puts 0x%x%s", field,
                                     value, instead, why));
  }
  void Refused(std::string_view field, uint64_t value, std::string_view why) {
    lines_.push_back(absl::StrFormat("%s is 0x%x: %s", field, value, why));
  }
  template <typename T, typename Field>
  T Get() const {
    return sev::GetLe<T, Field>(page_);
  }
  template <typename Segment>
  std::span<const uint8_t, 16> SegmentOf() const {
    return sev::FieldOf<Segment>(page_);
  }
  Page page() const { return page_; }
  std::vector<std::string> Take() { return std::move(lines_); }

 private:
  Page page_;
  std::vector<std::string> lines_;
};

// QEMU sets ET and hands on 32 bits, KVM clears the bits against caching. That
// NE comes to it is not in the sources as read. It is what the peer says, whose
// authors compared digests with hosts' reports.
void CheckCr0(Findings& out) {
  constexpr std::string_view kPeer =
      " (says COCONUT-SVSM's igvmmeasure --check-kvm)";
  const auto cr0 = out.Get<uint64_t, layout::Cr0>();
  const uint64_t instead = (((cr0 & kLow32) | kCr0Et) & ~kCr0Caching) | kCr0Ne;
  if (cr0 != instead) {
    out.Replaced("CR0", cr0, instead, (cr0 & kCr0Ne) == 0 ? kPeer : "");
  } else if ((cr0 & ~kCr0Pe) != (kCr0Et | kCr0Ne)) {
    out.Refused("CR0", cr0,
                absl::StrCat("only 0x30 and 0x31 are known to come through KVM",
                             kPeer));
  }
}

void CheckEfer(Findings& out) {
  const auto efer = out.Get<uint64_t, layout::Efer>();
  const auto cr0 = out.Get<uint64_t, layout::Cr0>();
  const auto cr4 = out.Get<uint64_t, layout::Cr4>();
  uint64_t instead = efer | sev::kEferSvme;
  // Long mode is active where paging is, and QEMU sees to it.
  if ((efer & kEferLme) != 0 && (cr0 & kCr0Pg) != 0 && (cr4 & kCr4Pae) != 0) {
    instead |= kEferLma;
  }
  out.Replaced("EFER", efer, instead);
  if ((efer & kEferLma) != 0 && (cr0 & kCr0Pg) == 0) {
    out.Refused("EFER", efer, "KVM refuses LMA without paging");
  }
}

template <typename Segment>
void CheckSegment(std::string_view name, Findings& out) {
  const auto attributes =
      sev::GetLe<uint16_t, parts::Attributes>(out.SegmentOf<Segment>());
  out.Replaced(absl::StrCat(name, " attributes"), attributes,
               attributes & kAttributes);
}

// GDTR and IDTR: KVM is given a base and 16 bits of limit.
template <typename Table>
void CheckTable(std::string_view name, Findings& out) {
  const auto table = out.SegmentOf<Table>();
  const auto limit = sev::GetLe<uint32_t, parts::Limit>(table);
  out.Replaced(absl::StrCat(name, " limit"), limit, limit & 0xFFFF);
  out.Replaced(absl::StrCat(name, " selector"),
               sev::GetLe<uint16_t, parts::Selector>(table), 0);
  out.Replaced(absl::StrCat(name, " attributes"),
               sev::GetLe<uint16_t, parts::Attributes>(table), 0);
}

void CheckSegments(Findings& out) {
  CheckSegment<layout::Es>("ES", out);
  CheckSegment<layout::Cs>("CS", out);
  CheckSegment<layout::Ss>("SS", out);
  CheckSegment<layout::Ds>("DS", out);
  CheckSegment<layout::Fs>("FS", out);
  CheckSegment<layout::Gs>("GS", out);
  CheckTable<layout::Gdtr>("GDTR", out);
  CheckSegment<layout::Ldtr>("LDTR", out);
  CheckTable<layout::Idtr>("IDTR", out);
  CheckSegment<layout::Tr>("TR", out);
  // QEMU's loader takes the one for the other (10.2).
  out.Replaced("TR base",
               sev::GetLe<uint64_t, parts::Base>(out.SegmentOf<layout::Tr>()),
               sev::GetLe<uint64_t, parts::Base>(out.SegmentOf<layout::Ldtr>()),
               ", LDTR's");
}

// CPL is KVM's: the DPL of SS. QEMU refuses any but 0 in the file.
void CheckCpl(Findings& out) {
  const auto cpl = out.Get<uint8_t, layout::Cpl>();
  const auto ss =
      sev::GetLe<uint16_t, parts::Attributes>(out.SegmentOf<layout::Ss>());
  if (cpl == 0) out.Replaced("CPL", cpl, ss >> kDplShift & kDplMask);
}

void CheckFeatures(Findings& out) {
  const auto features = out.Get<uint64_t, layout::SevFeatures>();
  if ((features & sev::kSevFeatureSnp) == 0) {
    out.Refused("SEV_FEATURES", features, "QEMU refuses it without bit 0, SNP");
  }
  const uint64_t unknown = features & ~kKvmFeatures;
  if (unknown == 0) return;
  std::string names;
  uint64_t unnamed = unknown;
  for (const FeatureName& feature : kFeatures) {
    const uint64_t bit = uint64_t{1} << feature.bit;
    if ((unknown & bit) == 0) continue;
    unnamed &= ~bit;
    absl::StrAppend(&names, names.empty() ? "" : ", ", feature.name);
  }
  if (unnamed != 0) {
    absl::StrAppendFormat(&names, "%s0x%x", names.empty() ? "" : ", ", unnamed);
  }
  out.Refused(
      "SEV_FEATURES", features,
      absl::StrCat("mainline KVM does not offer ", names, ", QEMU refuses it"));
}

bool IsPat(uint64_t pat) {
  for (int i = 0; i < 8; ++i, pat >>= 8) {
    const uint64_t type = pat & 0xFF;
    if (type > 7 || type == 2 || type == 3) return false;
  }
  return true;
}

void CheckRest(Findings& out) {
  const auto cr4 = out.Get<uint64_t, layout::Cr4>();
  // KVM: as on the host, where Linux has machine checks on.
  out.Replaced("CR4", cr4, (cr4 & kLow32) | kCr4Mce);
  const auto rflags = out.Get<uint64_t, layout::Rflags>();
  out.Replaced("RFLAGS", rflags, rflags | kRflagsFixed);
  out.Replaced("x87 FCW", out.Get<uint16_t, layout::X87Fcw>(), kFcwReset);
  out.Replaced("MXCSR", out.Get<uint32_t, layout::Mxcsr>(), kMxcsrReset);
  const auto xcr0 = out.Get<uint64_t, layout::Xcr0>();
  if ((xcr0 & kXcr0X87) == 0) {
    out.Refused("XCR0", xcr0, "KVM refuses it without bit 0, x87");
  }
  const auto dr6 = out.Get<uint64_t, layout::Dr6>();
  if (dr6 > kLow32) out.Refused("DR6", dr6, "KVM refuses the upper half");
  const auto dr7 = out.Get<uint64_t, layout::Dr7>();
  if ((dr7 & ~kDr7Fixed) != 0) {
    out.Refused("DR7", dr7, "KVM launches no guest with breakpoints");
  }
  const auto pat = out.Get<uint64_t, layout::GuestPat>();
  if (!IsPat(pat)) out.Refused("PAT", pat, "KVM refuses such memory types");
}

struct Range {
  size_t from, size;
};
template <typename First, typename Last = First>
constexpr Range RangeOf() {
  return {First::kOffset, Last::kEnd - First::kOffset};
}
// What QEMU's loader loads into the CPU.
constexpr Range kHandedOn[] = {
    RangeOf<layout::Es, layout::Tr>(),
    RangeOf<layout::Efer>(),
    RangeOf<layout::Cr4, layout::Rip>(),
    RangeOf<layout::Rsp>(),
    RangeOf<layout::Rax>(),
    RangeOf<layout::GuestPat>(),
    RangeOf<layout::Rcx, layout::Rbx>(),
    {layout::Rbp::kOffset, 11 * 8},  // RBP, RSI, RDI, R8 to R15
    RangeOf<layout::SevFeatures>(),
    RangeOf<layout::Xcr0>(),
    RangeOf<layout::Mxcsr>(),
    RangeOf<layout::X87Fcw>(),
};
struct NamedRange {
  Range range;
  std::string_view name;
};
// Of the rest, what a file may well have.
constexpr NamedRange kNotHandedOn[] = {
    {RangeOf<layout::Vmpl>(), "VMPL"},
    {RangeOf<layout::Cpl>(), "CPL"},
    {RangeOf<layout::Xss>(), "XSS"},
    {{0x180, 8}, "DR0"},
    {{0x240, 8}, "CR2"},
    {{0x3C8, 8}, "VIRTUAL_TOM"},
    {{0x3E0, 8}, "EVENTINJ"},
    {RangeOf<layout::X87Ftw>(), "x87 FTW"},
    {RangeOf<layout::X87Fsw>(), "x87 FSW"},
};

// QEMU refuses a file with anything in a field that it does not hand on.
void CheckNotHandedOn(Findings& out) {
  constexpr std::string_view kWhy =
      "QEMU refuses it: it hands no such field on";
  std::vector<uint8_t> rest(out.page().begin(), out.page().end());
  const auto clear = [&](const Range& range) {
    std::ranges::fill(std::span(rest).subspan(range.from, range.size), 0);
  };
  for (const Range& range : kHandedOn) clear(range);
  for (const NamedRange& named : kNotHandedOn) {
    uint64_t value = 0;
    for (size_t i = named.range.size; i-- > 0;) {
      value = value << 8 | rest[named.range.from + i];
    }
    if (value != 0) out.Refused(named.name, value, kWhy);
    clear(named.range);
  }
  const auto other =
      std::ranges::find_if(rest, [](uint8_t b) { return b != 0; });
  if (other == rest.end()) return;
  out.Refused(absl::StrFormat("the byte at 0x%x", other - rest.begin()), *other,
              kWhy);
}

}  // namespace

std::vector<std::string> KvmVmsaFindings(Page vmsa) {
  Findings out(vmsa);
  CheckCr0(out);
  CheckEfer(out);
  CheckSegments(out);
  CheckCpl(out);
  CheckFeatures(out);
  CheckRest(out);
  CheckNotHandedOn(out);
  return out.Take();
}

}  // namespace launch
