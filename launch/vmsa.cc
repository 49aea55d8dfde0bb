// SPDX-License-Identifier: Apache-2.0
#include "launch/vmsa.h"

#include <span>

#include "sev/wire_field.h"

namespace launch {
namespace {

namespace layout = sev::vmsa_layout;

struct SegmentState {
  uint16_t selector;
  uint16_t attributes;
  uint32_t limit;
  uint64_t base;
};

// Attributes: type, S, DPL, P in bits 7:0; AVL, L, D/B, G in 11:8.
constexpr uint16_t kData = 0x93;       // present, data, writable, accessed
constexpr uint16_t kCode = 0x9B;       // present, code, readable, accessed
constexpr uint16_t kFlat32 = 0xC00;    // D/B and G
constexpr uint16_t kLdt = 0x82;        // present
constexpr uint16_t kBusyTss32 = 0x8B;  // present
constexpr uint16_t kBusyTss16 = 0x83;  // present
constexpr uint32_t kRealLimit = 0xFFFF;
constexpr uint32_t kFlatLimit = 0xFFFFFFFF;

constexpr uint64_t kCr0Pe = 1 << 0;
constexpr uint64_t kCr0Et = 1 << 4;
constexpr uint64_t kCr0Ne = 1 << 5;
constexpr uint64_t kCr4Mce = 1 << 6;  // KVM: as on the host
constexpr uint64_t kDr6Reset = 0xFFFF0FF0;
constexpr uint64_t kDr7Reset = 0x400;
constexpr uint64_t kRflagsReset = 0x2;
constexpr uint64_t kPatReset = 0x0007040600070406;
constexpr uint64_t kXcr0Reset = 1;
constexpr uint32_t kMxcsrReset = 0x1F80;
constexpr uint16_t kFcwReset = 0x37F;

class Builder {
 public:
  Builder() {
    PutSegment<layout::Gdtr>({0, 0, kRealLimit, 0});
    PutSegment<layout::Ldtr>({0, kLdt, kRealLimit, 0});
    PutSegment<layout::Idtr>({0, 0, kRealLimit, 0});
    PutSegment<layout::Tr>({0, kBusyTss32, kRealLimit, 0});
    Put<uint64_t, layout::Efer>(sev::kEferSvme);
    Put<uint64_t, layout::Cr4>(kCr4Mce);
    Put<uint64_t, layout::Dr6>(kDr6Reset);
    Put<uint64_t, layout::Dr7>(kDr7Reset);
    Put<uint64_t, layout::Rflags>(kRflagsReset);
    Put<uint64_t, layout::GuestPat>(kPatReset);
    Put<uint64_t, layout::Xcr0>(kXcr0Reset);
    Put<uint32_t, layout::Mxcsr>(kMxcsrReset);
    Put<uint16_t, layout::X87Fcw>(kFcwReset);
    Put<uint64_t, layout::SevFeatures>(sev::kSevFeatureSnp);
  }

  template <typename T, typename Field>
  void Put(T value) {
    sev::PutLe<T, Field>(value, std::span(vmsa_));
  }

  template <typename Field>
  void PutSegment(const SegmentState& segment) {
    namespace parts = sev::vmsa_segment_layout;
    const auto out = sev::FieldOf<Field>(std::span(vmsa_));
    sev::PutLe<uint16_t, parts::Selector>(segment.selector, out);
    sev::PutLe<uint16_t, parts::Attributes>(segment.attributes, out);
    sev::PutLe<uint32_t, parts::Limit>(segment.limit, out);
    sev::PutLe<uint64_t, parts::Base>(segment.base, out);
  }

  void PutDataSegments(const SegmentState& segment) {
    PutSegment<layout::Es>(segment);
    PutSegment<layout::Ss>(segment);
    PutSegment<layout::Ds>(segment);
    PutSegment<layout::Fs>(segment);
    PutSegment<layout::Gs>(segment);
  }

  const Vmsa& vmsa() const { return vmsa_; }

 private:
  Vmsa vmsa_{};
};

}  // namespace

Vmsa FlatStartVmsa(uint32_t entry) {
  Builder out;
  out.PutSegment<layout::Cs>({0x08, kCode | kFlat32, kFlatLimit, 0});
  out.PutDataSegments({0x10, kData | kFlat32, kFlatLimit, 0});
  out.Put<uint64_t, layout::Cr0>(kCr0Pe | kCr0Et | kCr0Ne);
  out.Put<uint64_t, layout::Rip>(entry);
  return out.vmsa();
}

Vmsa ResetVectorVmsa(const ResetState& state) {
  Builder out;
  uint16_t code = kCode;
  // The values of EC2 and GCE: virtee/sev-snp-measure.
  uint64_t rdx = 0x600;
  if (state.vmm == Vmm::kQemu) {
    rdx = state.cpu_signature;
  } else {
    out.Put<uint32_t, layout::Mxcsr>(0);
    out.Put<uint16_t, layout::X87Fcw>(0);
  }
  out.PutDataSegments({0, kData, kRealLimit, 0});
  if (state.vmm == Vmm::kEc2) {
    if (state.eip == ResetState().eip) code = 0x9A;  // not yet accessed
    out.PutSegment<layout::Ss>({0, 0x92, kRealLimit, 0});
    out.PutSegment<layout::Tr>({0, kBusyTss16, kRealLimit, 0});
  }
  if (state.vmm == Vmm::kGce) out.Put<uint64_t, layout::GuestPat>(0x00070106);
  out.PutSegment<layout::Cs>(
      {0xF000, code, kRealLimit, state.eip & 0xFFFF0000});
  out.Put<uint64_t, layout::Cr0>(kCr0Et);
  out.Put<uint64_t, layout::Rip>(state.eip & 0xFFFF);
  out.Put<uint64_t, layout::Rdx>(rdx);
  out.Put<uint64_t, layout::SevFeatures>(state.sev_features);
  return out.vmsa();
}

}  // namespace launch
