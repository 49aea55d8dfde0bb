// SPDX-License-Identifier: Apache-2.0
//
// MSG_KEY_REQ: the same request gives the same key, each selected field and no
// other changes it, and nobody gets a key above their station.
#include "psp/derived_key.h"

#include <functional>
#include <vector>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "psp/firmware_client.h"
#include "psp/testing.h"
#include "sev/guest_message.h"

namespace psp {
namespace {

using Key = std::vector<uint8_t>;

struct Answer {
  uint32_t status = 0xFFFF;
  Key key;
  friend bool operator==(const Answer&, const Answer&) = default;
};

GuestContext Guest() {
  GuestContext guest;
  guest.measurement.fill(1);
  guest.guest_svn = 5;
  guest.family_id.fill(2);
  guest.image_id.fill(3);
  return guest;
}

Answer Ask(FirmwareClient& client, const sev::KeyRequest& request,
           uint8_t vmpck = 0) {
  const auto payload = client.Call(sev::EncodeKeyRequest(request), vmpck,
                                   sev::MessageType::kKeyRequest);
  const auto response = sev::ParseKeyResponse(payload);
  if (!response.ok()) return {};
  return {response->status,
          {response->derived_key.begin(), response->derived_key.end()}};
}

// Of a firmware of its own.
Answer AskOnce(const sev::KeyRequest& request,
               const GuestContext& guest = Guest(), uint8_t vmpck = 0,
               const PlatformConfig& platform = {},
               const Hierarchy& hierarchy = TestHierarchy()) {
  Firmware firmware(hierarchy, Fault::kNone, platform);
  firmware.Launch(guest);
  FirmwareClient client(firmware);
  return Ask(client, request, vmpck);
}

TEST(DerivedKey, IsTheSameForTheSameRequestAfterARestart) {
  const Answer first = AskOnce({.fields = sev::kKeyFieldsKnown});
  EXPECT_EQ(first.status, sev::kReportStatusSuccess);
  EXPECT_EQ(first.key.size(), sev::kDerivedKeySize);
  EXPECT_FALSE(base::AllZero(first.key));
  EXPECT_EQ(AskOnce({.fields = sev::kKeyFieldsKnown}), first);
}

TEST(DerivedKey, DependsOnExactlyTheSelectedFields) {
  struct Row {
    const char* what;
    uint64_t field;
    std::function<void(GuestContext&, sev::KeyRequest&)> change;
  };
  const Row rows[] = {
      {"policy", sev::kKeyFieldGuestPolicy,
       [](GuestContext& guest, auto&) { guest.policy ^= 1; }},
      {"image id", sev::kKeyFieldImageId,
       [](GuestContext& guest, auto&) { guest.image_id[15] ^= 1; }},
      {"family id", sev::kKeyFieldFamilyId,
       [](GuestContext& guest, auto&) { guest.family_id[0] ^= 1; }},
      {"measurement", sev::kKeyFieldMeasurement,
       [](GuestContext& guest, auto&) { guest.measurement[47] ^= 1; }},
      {"guest SVN", sev::kKeyFieldGuestSvn,
       [](auto&, sev::KeyRequest& request) { request.guest_svn = 4; }},
      {"TCB", sev::kKeyFieldTcbVersion,
       [](auto&, sev::KeyRequest& request) { request.tcb_version = 1; }},
      {"host data", 0,
       [](GuestContext& guest, auto&) { guest.host_data[0] ^= 1; }},
  };
  for (uint64_t fields = 0; fields <= sev::kKeyFieldsKnown; ++fields) {
    const Answer before = AskOnce({.fields = fields});
    for (const Row& row : rows) {
      GuestContext guest = Guest();
      sev::KeyRequest request{.fields = fields};
      row.change(guest, request);
      const Answer after = AskOnce(request, guest);
      ASSERT_EQ(after.status, sev::kReportStatusSuccess);
      EXPECT_EQ(after.key != before.key, (fields & row.field) != 0)
          << row.what << " with fields " << fields;
    }
  }
}

TEST(DerivedKey, TheSelectionTheVmplAndTheRootAreAlwaysMixedIn) {
  const Hierarchy& with_vlek = TestHierarchy(kMilan, /*vlek=*/true);
  Firmware firmware(with_vlek);
  firmware.Launch(Guest());
  FirmwareClient client(firmware);
  const Answer plain = Ask(client, {});
  ASSERT_EQ(plain.status, sev::kReportStatusSuccess);
  std::vector<Key> keys = {plain.key};
  for (const sev::KeyRequest& request :
       {sev::KeyRequest{.fields = sev::kKeyFieldGuestSvn},
        sev::KeyRequest{.vmpl = 1}, sev::KeyRequest{.vmpl = 3},
        sev::KeyRequest{.root = sev::RootKey::kVmrk},
        sev::KeyRequest{.key_select = sev::KeySelect::kVcek}}) {
    const Answer answer = Ask(client, request);
    EXPECT_EQ(answer.status, sev::kReportStatusSuccess);
    for (const Key& other : keys) EXPECT_NE(answer.key, other);
    keys.push_back(answer.key);
  }
  // A loaded VLEK is the default.
  EXPECT_EQ(Ask(client, {.key_select = sev::KeySelect::kVlek}), plain);
  // Whoever asks for the same VMPL gets the same key.
  EXPECT_EQ(Ask(client, {.vmpl = 3}, 2), Ask(client, {.vmpl = 3}, 0));
  // A VM root key lives as long as its launch.
  const Answer vmrk = Ask(client, {.root = sev::RootKey::kVmrk});
  EXPECT_EQ(Ask(client, {.root = sev::RootKey::kVmrk}), vmrk);
  EXPECT_NE(AskOnce({.root = sev::RootKey::kVmrk}), vmrk);
}

TEST(DerivedKey, Refusals) {
  struct Row {
    const char* what;
    sev::KeyRequest request;
    uint8_t vmpck;
    PlatformConfig platform;
    uint32_t status;
  };
  constexpr uint32_t kParameters = sev::kReportStatusInvalidParameters;
  constexpr uint32_t kKeySelect = sev::kReportStatusInvalidKeySelect;
  const uint64_t tcb = kMilan.raw_tcb();
  const Row rows[] = {
      {"the guest's own SVN", {.guest_svn = 5}, 0, {}, 0},
      {"a newer SVN", {.guest_svn = 6}, 0, {}, kParameters},
      {"the committed TCB", {.tcb_version = tcb}, 0, {}, 0},
      {"an older part", {.tcb_version = tcb - 1}, 0, {}, 0},
      {"a newer part", {.tcb_version = tcb + 1}, 0, {}, kParameters},
      // As a number it is below the committed one.
      {"one newer, others older", {.tcb_version = 5}, 0, {}, kParameters},
      {"a reserved TCB byte", {.tcb_version = 1 << 16}, 0, {}, kParameters},
      {"VMPL 0 of VMPL 1", {.vmpl = 0}, 1, {}, kParameters},
      {"VMPL 1 of VMPL 1", {.vmpl = 1}, 1, {}, 0},
      {"VMPL 4", {.vmpl = 4}, 0, {}, kParameters},
      {"no VLEK", {.key_select = sev::KeySelect::kVlek}, 0, {}, kKeySelect},
      {"masked", {}, 0, {.mask_chip_key = true}, kKeySelect},
      {"masked, of the VMRK",
       {.root = sev::RootKey::kVmrk},
       0,
       {.mask_chip_key = true},
       0},
  };
  for (const Row& row : rows) {
    const Answer answer =
        AskOnce(row.request, Guest(), row.vmpck, row.platform);
    EXPECT_EQ(answer.status, row.status) << row.what;
    EXPECT_EQ(answer.key.empty(), row.status != 0) << row.what;
  }
}

}  // namespace
}  // namespace psp
