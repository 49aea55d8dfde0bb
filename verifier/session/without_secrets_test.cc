// SPDX-License-Identifier: Apache-2.0
//
// A request without secrets, and what is left out of the reasons.
#include <string>

#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "proto/attest.h"
#include "verifier/finding.h"
#include "verifier/reasons.h"
#include "verifier/session/session_fixture.h"
#include "verifier/store/store.h"
#include "verifier/testing/evidence_maker.h"
#include "verifier/testing/scratch_store.h"

namespace verifier {
namespace {

using testing::kSecretPath;
using testing::ReportBytes;

// An image without resources: the VM's name finds the policy.
TEST_F(SessionTest, WithoutSecretsTheVmsOfAPolicyDecide) {
  paths_ = {};
  const Received granted = Attest();
  EXPECT_EQ(granted.outcome, proto::Outcome::kGranted) << granted.log;
  EXPECT_TRUE(granted.secrets.empty());
  EXPECT_EQ(granted.boot_counter, 1u);
  EXPECT_NE(granted.log.find("no secret, only to boot, policy demo"),
            std::string::npos)
      << granted.log;
  const Received other = Attest([](ReportBytes& report) { report[0x90] ^= 1; });
  EXPECT_EQ(other.outcome, proto::Outcome::kNotAuthorised);
  ExpectLog(other, kMeasurementNotAllowed);
  allow_emulated_ = false;
  ExpectLog(Attest(), kEmulatedNotAllowed);
  allow_emulated_ = true;
  vm_ = "other/vm1";
  const Received unnamed = Attest();
  EXPECT_EQ(unnamed.outcome, proto::Outcome::kNotAuthorised);
  ExpectLog(unnamed, kNoGoverningPolicy);
  EXPECT_EQ(unnamed.boot_counter, 0u);
}

TEST_F(SessionTest, WithoutSecretsEveryPolicyOfTheVmHasToAllow) {
  const std::string second =
      absl::StrReplaceAll(testing::GoodPolicy(),
                          {{"name = \"demo\"", "name = \"second\""},
                           {"secrets = [", "secrets = [\"second/{vm}/*\"] # ["},
                           {"[boot]\n",
                            "[boot]\n"
                            "kernel = [\"sha384:" +
                                std::string(96, '0') + "\"]\n#"}});
  paths_ = {};
  ASSERT_EQ(Attest().outcome, proto::Outcome::kGranted);
  const auto put = store_->PutPolicy(second, "p", Store::Put::kNew);
  ASSERT_TRUE(put.ok()) << put.status();
  const Received verdict = Attest();
  EXPECT_EQ(verdict.outcome, proto::Outcome::kNotAuthorised);
  ExpectLog(verdict, kKernelNotAllowed);
  EXPECT_NE(verdict.log.find("policy second: "), std::string::npos)
      << verdict.log;
  // The secret's own policy is content, as before.
  paths_ = {std::string(kSecretPath)};
  EXPECT_EQ(Attest().outcome, proto::Outcome::kGranted);
}

// The owner is sent to the certificates, not to a policy that is right.
TEST_F(SessionTest, WhatFollowsFromMissingCertificatesIsNotListed) {
  certificates_ = {};
  const Received verdict =
      Attest([](ReportBytes& report) { report[0x90] ^= 1; });
  EXPECT_EQ(verdict.outcome, proto::Outcome::kEvidenceInvalid);
  ExpectLog(verdict, kEvidenceNoLeaf);
  ExpectLog(verdict, kMeasurementNotAllowed);
  for (const base::Reason reason :
       {kRootNotNamed, kProductNotAllowed, kVlekNotAllowed, kCrlNotChecked}) {
    EXPECT_EQ(verdict.log.find(ReasonCode(reason) + " "), std::string::npos)
        << verdict.log;
  }
}

}  // namespace
}  // namespace verifier
