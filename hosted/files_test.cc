// SPDX-License-Identifier: Apache-2.0
#include "hosted/files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace hosted {
namespace {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "/filesXXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string Path(const std::string& name) const {
    return folder_ + "/" + name;
  }
  std::string Write(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(Path(name)).parent_path());
    std::ofstream(Path(name)) << text;
    return Path(name);
  }
  static std::string Text(const std::vector<uint8_t>& bytes) {
    return {bytes.begin(), bytes.end()};
  }

  std::string folder_;
};

TEST_F(Files, AreReadUpToALimit) {
  const std::string path = Write("f", "four");
  for (const auto& read : {ReadInput, ReadRegularFile}) {
    EXPECT_EQ(Text(*read(path, 4)), "four");
    EXPECT_EQ(Text(*read(path, 1 << 30)), "four");
    EXPECT_EQ(Text(*read(Write("empty", ""), 4)), "");
    const auto over = read(path, 3).status();
    EXPECT_TRUE(absl::IsOutOfRange(over));
    EXPECT_EQ(over.message(), path + ": longer than 3 bytes");
    const auto none = read(Path("none"), 3).status();
    EXPECT_TRUE(absl::IsNotFound(none));
    EXPECT_EQ(none.message(), Path("none") + ": No such file or directory");
    EXPECT_TRUE(absl::IsFailedPrecondition(read(folder_, 9).status()));
  }
}

TEST_F(Files, MayBeLargerThanTheFirstBuffer) {
  const std::string text(3 * 1024 * 1024 + 5, 'x');
  const std::string path = Write("f", text);
  EXPECT_EQ(Text(*ReadInput(path, text.size())), text);
  EXPECT_TRUE(absl::IsOutOfRange(ReadInput(path, text.size() - 1).status()));
}

// A pipe that a shell made is an input; one where a file should be is not, and
// nobody waits for its writer.
TEST_F(Files, PipesAreInputsOnly) {
  const std::string path = Path("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(ReadRegularFile(path, 9).status()));
  std::thread writer([&] { std::ofstream(path) << "through a pipe"; });
  EXPECT_EQ(Text(*ReadInput(path, 99)), "through a pipe");
  writer.join();
  EXPECT_TRUE(
      absl::IsFailedPrecondition(ReadRegularFile("/dev/null", 9).status()));
  EXPECT_EQ(Text(*ReadInput("/dev/null", 9)), "");
}

TEST_F(Files, ADashIsStandardInputOfAPersonOnly) {
  const std::string path = Write("f", "typed");
  const int saved = dup(STDIN_FILENO);
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(dup2(file, STDIN_FILENO), STDIN_FILENO);
  EXPECT_EQ(Text(*ReadInput("-", 9)), "typed");
  EXPECT_EQ(ReadInput("-", 9)->size(), 0u);  // It is at its end, and open.
  dup2(saved, STDIN_FILENO);
  close(saved);
  close(file);
  EXPECT_TRUE(absl::IsNotFound(ReadRegularFile("-", 9).status()));
}

// Read again and again while it grows, until a read notices.
TEST_F(Files, ThatChangeMeanwhileAreNotUsed) {
  const std::string path = Write("f", std::string(1 << 20, 'x'));
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    std::ofstream file(path, std::ios::app);
    while (!stop) file << "y" << std::flush;
  });
  absl::Status status;
  while (status.ok()) status = ReadRegularFile(path, 1 << 30).status();
  stop = true;
  writer.join();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(status.message(), path + ": changed while it was read");
  EXPECT_TRUE(ReadRegularFile(path, 1 << 30).ok());
}

TEST_F(Files, AreReplacedInOneStep) {
  const std::string path = Write("f", "old");
  std::ifstream reader(path);
  const std::vector<uint8_t> bytes = {'n', 'e', 'w', '!'};
  ASSERT_TRUE(ReplaceFile(path, bytes, kPublicFile).ok());
  std::string old;
  reader >> old;
  EXPECT_EQ(old, "old");
  EXPECT_EQ(Text(*ReadRegularFile(path, 9)), "new!");
  struct stat about = {};
  ASSERT_EQ(stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777u, 0644u);
  ASSERT_TRUE(ReplaceFile(Path("made"), bytes, 0600).ok());
  EXPECT_TRUE(absl::IsNotFound(ReplaceFile(Path("no/f"), bytes, 0600)));
  // A folder in its place: refused, and nothing is left beside it.
  fs::create_directory(Path("folder"));
  EXPECT_FALSE(ReplaceFile(Path("folder"), bytes, 0600).ok());
  EXPECT_EQ(EntriesBelow(folder_, 9)->size(), 3u);
}

TEST_F(Files, OfSomeExtensionsAreFoundBelowAFolder) {
  Write("b.der", "");
  Write("sub/a.pem", "");
  Write("a.txt", "");
  Write("sub/.der", "");  // A name without an extension.
  fs::create_directory(Path("folder.der"));
  fs::create_symlink(Path("b.der"), Path("link.der"));
  fs::create_symlink("/nowhere", Path("dangling.der"));
  const auto found = FilesBelow(folder_, kCertificateFiles, 3);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(*found, (std::vector<std::string>{Path("b.der"), Path("link.der"),
                                              Path("sub/a.pem")}));
  EXPECT_TRUE(absl::IsResourceExhausted(
      FilesBelow(folder_, kCertificateFiles, 2).status()));
  EXPECT_EQ(EntriesBelow(folder_, 99)->size(), 8u);
  EXPECT_TRUE(absl::IsResourceExhausted(EntriesBelow(folder_, 7).status()));
  EXPECT_TRUE(absl::IsNotFound(EntriesBelow(Path("none"), 9).status()));
  EXPECT_FALSE(FilesBelow(Path("b.der"), kCertificateFiles, 9).ok());
}

}  // namespace
}  // namespace hosted
