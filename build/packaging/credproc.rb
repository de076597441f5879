# Homebrew formula of the frozen program; build/freeze fills it.
class Credproc < Formula
  desc "{{summary}}"
  homepage "{{homepage}}"
  version "{{version}}"
  license "Apache-2.0"

  {{#macos-arm64}}
  on_macos do
    on_arm do
      url "{{releases}}/{{macos-arm64.file}}"
      sha256 "{{macos-arm64.sha256}}"
    end
  end
  {{/macos-arm64}}
  {{#macos-x86_64}}
  on_macos do
    on_intel do
      url "{{releases}}/{{macos-x86_64.file}}"
      sha256 "{{macos-x86_64.sha256}}"
    end
  end
  {{/macos-x86_64}}
  {{#linux-x86_64}}
  on_linux do
    on_intel do
      url "{{releases}}/{{linux-x86_64.file}}"
      sha256 "{{linux-x86_64.sha256}}"
    end
  end
  {{/linux-x86_64}}
  {{#linux-aarch64}}
  on_linux do
    on_arm do
      url "{{releases}}/{{linux-aarch64.file}}"
      sha256 "{{linux-aarch64.sha256}}"
    end
  end
  {{/linux-aarch64}}

  # The libraries are signed and linked as they are; Homebrew must not relocate them
  skip_clean "libexec"

  def install
    man1.install "credproc.1"
    libexec.install Dir["*"]
    bin.install_symlink libexec/"credproc"
    bash_completion.install libexec/"completions/credproc.bash" => "credproc" if (libexec/"completions").directory?
    zsh_completion.install libexec/"completions/_credproc" if (libexec/"completions").directory?
    fish_completion.install libexec/"completions/credproc.fish" if (libexec/"completions").directory?
  end

  test do
    assert_equal "credproc #{version}\n", shell_output("#{bin}/credproc --version")
  end
end
