// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/chain_cache.h"

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "sev/report.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/testing/appraisal_draft.h"

namespace verifier {
namespace {

using testing::Draft;
using testing::Exhibit;
using testing::GoodDraft;
using testing::GoodExhibit;
using testing::kAppraisalTime;

ossl::Digest256 Key(uint8_t number) {
  ossl::Digest256 key{};
  key[0] = number;
  return key;
}

std::shared_ptr<const Chain> ChainUntil(time_t until, bool verified = true) {
  auto chain = std::make_shared<Chain>();
  chain->verified = verified;
  chain->not_before = 100;
  chain->not_after = until;
  return chain;
}

std::shared_ptr<const Chain> Verify(const AppraisalInput& input,
                                    ChainCache& cache) {
  const auto report = sev::UnverifiedReport::FromBytes(input.report);
  const Selection selection =
      input.endorsements->For({.report = report.ok() ? &*report : nullptr,
                               .roots = input.roots,
                               .at = input.now});
  return VerifyChainCached({.selection = selection,
                            .roots = input.roots,
                            .now = input.now,
                            .cache = &cache});
}

// Found again: the very same object.
bool Hits(const AppraisalInput& first, const AppraisalInput& second) {
  ChainCache cache(4);
  const auto a = Verify(first, cache);
  EXPECT_TRUE(a->verified);
  return Verify(second, cache) == a;
}

TEST(ChainCache, PositiveOnly) {
  ChainCache cache(4);
  cache.Insert(Key(1), ChainUntil(200, /*verified=*/false));
  cache.Insert(Key(2), nullptr);
  EXPECT_EQ(cache.size(), 0u);
  Exhibit exhibit = GoodExhibit();
  exhibit.leaf.back() ^= 1;
  EXPECT_FALSE(Verify(exhibit.Input(), cache)->verified);
  exhibit = GoodExhibit();
  exhibit.root.clear();
  EXPECT_FALSE(Verify(exhibit.Input(), cache)->verified);
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_TRUE(Verify(GoodExhibit().Input(), cache)->verified);
  EXPECT_EQ(cache.size(), 1u);
}

TEST(ChainCache, DropsTheOneNotUsedForLongest) {
  ChainCache cache(2);
  cache.Insert(Key(1), ChainUntil(200));
  cache.Insert(Key(2), ChainUntil(200));
  EXPECT_TRUE(cache.Find(Key(1), 150));
  cache.Insert(Key(3), ChainUntil(200));
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_TRUE(cache.Find(Key(1), 150));
  EXPECT_FALSE(cache.Find(Key(2), 150));
  EXPECT_TRUE(cache.Find(Key(3), 150));
  // The same key again is no further entry, and counts as a use.
  cache.Insert(Key(1), ChainUntil(200));
  EXPECT_EQ(cache.size(), 2u);
  cache.Insert(Key(4), ChainUntil(200));
  EXPECT_TRUE(cache.Find(Key(1), 150));
  EXPECT_FALSE(cache.Find(Key(3), 150));
}

TEST(ChainCache, OfNoEntriesHoldsNone) {
  ChainCache cache(0);
  cache.Insert(Key(1), ChainUntil(200));
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_TRUE(Verify(GoodExhibit().Input(), cache)->verified);
}

TEST(ChainCache, OnlyWithinItsTime) {
  for (const time_t outside : {time_t{99}, time_t{200}, time_t{0}}) {
    ChainCache cache(2);
    cache.Insert(Key(1), ChainUntil(200));
    EXPECT_TRUE(cache.Find(Key(1), 100));
    EXPECT_TRUE(cache.Find(Key(1), 199));
    EXPECT_FALSE(cache.Find(Key(1), outside));
    EXPECT_EQ(cache.size(), 0u);
  }
}

TEST(ChainCache, ExpiresWithTheFirstOfItsParts) {
  constexpr time_t kEnd = kAppraisalTime + 10;
  const std::function<void(Draft&)> shorten[] = {
      [](Draft& d) { d.leaf.validity.not_after = kEnd; },
      [](Draft& d) { d.intermediate.validity.not_after = kEnd; },
      [](Draft& d) { d.root.validity.not_after = kEnd; },
      [](Draft& d) { d.crl->validity.not_after = kEnd; }};
  for (const auto& change : shorten) {
    Draft draft = GoodDraft();
    change(draft);
    Exhibit exhibit = draft.Sign();
    ChainCache cache(2);
    const auto first = Verify(exhibit.Input(), cache);
    EXPECT_EQ(first->not_after, kEnd);
    exhibit.now = kEnd - 1;
    EXPECT_EQ(Verify(exhibit.Input(), cache), first);
    exhibit.now = kEnd;
    EXPECT_FALSE(Verify(exhibit.Input(), cache)->verified);
    EXPECT_EQ(cache.size(), 0u);
  }
}

TEST(ChainCache, ClockThatGoesBack) {
  constexpr time_t kStart = kAppraisalTime - 10;
  const std::function<void(Draft&)> shorten[] = {
      [](Draft& d) { d.leaf.validity.not_before = kStart; },
      [](Draft& d) { d.intermediate.validity.not_before = kStart; },
      [](Draft& d) { d.root.validity.not_before = kStart; },
      [](Draft& d) { d.crl->validity.not_before = kStart; }};
  for (const auto& change : shorten) {
    Draft draft = GoodDraft();
    change(draft);
    Exhibit exhibit = draft.Sign();
    ChainCache cache(2);
    EXPECT_EQ(Verify(exhibit.Input(), cache)->not_before, kStart);
    exhibit.now = kStart - 1;
    EXPECT_FALSE(Verify(exhibit.Input(), cache)->verified);
    exhibit.now = kStart;
    EXPECT_TRUE(Verify(exhibit.Input(), cache)->verified);
  }
}

TEST(ChainCache, EveryInputIsPartOfTheKey) {
  const Exhibit& good = GoodExhibit();
  const AppraisalInput input = good.Input();
  EXPECT_TRUE(Hits(input, input));
  // Another report of the same chip is what the cache is for.
  AppraisalInput other = input;
  other.report = {};
  EXPECT_TRUE(Hits(input, other));

  Exhibit changed = good;
  changed.crl.clear();
  EXPECT_FALSE(Hits(input, changed.Input()));
  for (auto part : {&Exhibit::leaf, &Exhibit::intermediate, &Exhibit::root}) {
    changed = good;
    (changed.*part).back() ^= 1;
    EXPECT_FALSE(Hits(input, changed.Input()));
  }
}

TEST(ChainCache, AnotherRootSetIsAnotherKey) {
  const Exhibit& good = GoodExhibit();
  Exhibit changed = good;
  changed.roots.clear();
  EXPECT_FALSE(Hits(good.Input(), changed.Input()));
  changed = good;
  changed.roots[0].trust_class = TrustClass::kHardware;
  EXPECT_FALSE(Hits(good.Input(), changed.Input()));
  changed = good;
  changed.roots.push_back({.sha256 = Key(1), .name = "another"});
  EXPECT_FALSE(Hits(good.Input(), changed.Input()));
  // Of the same root: with the certificate, and without.
  Exhibit with_der = good;
  with_der.roots[0].der = good.root;
  with_der.root.clear();
  EXPECT_TRUE(Hits(good.Input(), with_der.Input()));
  changed = with_der;
  changed.roots[0].der.clear();
  EXPECT_FALSE(Hits(with_der.Input(), changed.Input()));
}

// The list that counts is part of the key, wherever it comes from.
TEST(ChainCache, AnotherListIsAnotherKey) {
  const Exhibit& good = GoodExhibit();
  Exhibit bare = good;
  bare.crl.clear();
  auto one = std::make_shared<Endorsements>();
  auto two = std::make_shared<Endorsements>();
  for (const auto& folder : {one, two}) {
    ASSERT_TRUE(folder->Add(good.root, {.name = "root"}).ok());
  }
  AppraisalInput first = bare.Input();
  AppraisalInput second = first;
  second.endorsements = bare.Placed(one);
  EXPECT_TRUE(Hits(first, second));  // The same chain.
  ASSERT_TRUE(two->Add(good.crl, {.name = "crl"}).ok());
  second.endorsements = bare.Placed(two);
  EXPECT_FALSE(Hits(first, second));
}

// An ASK that is revoked later: with the list the same evidence is refused.
TEST(ChainCache, ANewListIsNotPassedBy) {
  psp::CrlSpec revoking = *GoodDraft().crl;
  revoking.number = 2;
  revoking.revoked_serial = GoodDraft().intermediate.serial;
  auto after = std::make_shared<Endorsements>();
  ASSERT_TRUE(after->Add(testing::Make(revoking), {.name = "crl"}).ok());
  ChainCache cache(4);
  AppraisalInput input = GoodExhibit().Input();
  input.cache = &cache;
  EXPECT_EQ(Appraise(input).verdict, Verdict::kValid);
  input.endorsements = GoodExhibit().Placed(after);
  EXPECT_EQ(Appraise(input).verdict, Verdict::kInvalid);
}

TEST(ChainCache, AppraisalIsTheSameWithIt) {
  ChainCache cache(4);
  AppraisalInput input = GoodExhibit().Input();
  const Appraisal without = Appraise(input);
  input.cache = &cache;
  for (int i = 0; i < 2; ++i) {
    const Appraisal with = Appraise(input);
    EXPECT_EQ(with.verdict, without.verdict);
    EXPECT_EQ(with.outcomes, without.outcomes);
    EXPECT_EQ(with.facts.product, without.facts.product);
    EXPECT_EQ(with.facts.root, without.facts.root);
    EXPECT_EQ(with.facts.trust_class, without.facts.trust_class);
    EXPECT_EQ(with.facts.crl_checked, without.facts.crl_checked);
  }
}

TEST(ChainCache, ManyThreads) {
  ChainCache cache(3);
  const Exhibit& good = GoodExhibit();
  std::vector<std::thread> threads;
  for (unsigned id = 0; id < 4; ++id) {
    threads.emplace_back([&cache, &good, id] {
      for (unsigned i = 0; i < 200; ++i) {
        const auto key = Key(static_cast<uint8_t>((id + i) % 7));
        if (i % 3 == 0) cache.Insert(key, ChainUntil(200));
        cache.Find(key, i % 50 == 0 ? 300 : 150);
        if (i % 100 == 0) EXPECT_TRUE(Verify(good.Input(), cache)->verified);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(cache.size(), 3u);
}

}  // namespace
}  // namespace verifier
