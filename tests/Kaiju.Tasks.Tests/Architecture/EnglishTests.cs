using System.Text.RegularExpressions;
using Kaiju.Tasks.Tests.Docs;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace Kaiju.Tasks.Tests.Architecture;

/// <summary>
/// Phrases that comments, messages and pages must not contain, each with a better form. A phrase is found across line
/// breaks and across the parts of a concatenated string.
/// </summary>
public sealed class EnglishTests
{
    private const string NoNoun =
        @"(?<!\bthere )\b(is|are|was|were) no (?!(longer|more than|less than|fewer than|earlier than|later than)\b)\w+";

    /// <summary>Each space of a pattern matches any white space. Case does not matter.</summary>
    private static readonly Banned[] _banned =
    [
        new(@"\b(gives?|gave|given|giving) up waiting", "Cancels the wait; the operation may still complete."),
        new(NoNoun, "is not a …"),
        new(@"\b(go(es)?|going|gone|went) on\b", "continues, resumes"),
        new(@"\b(nobody|somebody|whoever|anybody|everybody)\b", "the name of the thing: an executor, a caller"),
        new(@"\bwhat (was|is) (given|asked)\b", "the definition, the request"),
        new(@"\b(carry|carries|carried|carrying) out\b", "runs"),
        new(@"\bcarr(y|ies) the \w+ out\b", "runs"),
        new(@"\b(is|are|was|were|be|been|being) told\b", "gets, receives, is notified"),
        new(@"\bvouch", "guarantees"),
        new(@"\bends? with a fault\b", "fails"),
        new(@"\bwho comes\b", "a later caller, a lone caller"),
        new(@"\bwhat (became|becomes) of\b", "whether …, the result of …"),
        new(@"(?-i:For people\.)", "A description for humans; not used by the engine."),
        new(@"\band its bound\b", "the limit, the timeout"),
        new(@"\b(take|takes|taken|took) up\b", "claims, starts"),
        new(@"\b(he|she|his|her|him|hers)\b", "the name of the thing: the caller, the executor"),
        new(@"\bnever (comes|came)\b", "never occurs, never arrives"),
        new(@"(?-i:<summary>\s*(What|Who|Whose)\b)", "the name of the thing: The definition …, The executor …"),
    ];

    private static readonly string[] _pages = ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"];
    private static readonly string[] _madeByTools = ["bin", "obj"];

    [Fact]
    public void Comments_messages_and_pages_contain_no_banned_phrase()
    {
        var found = Files().SelectMany(file => Find(file, File.ReadAllText(DocsTests.PathOf(file))));

        string.Join(Environment.NewLine, found).Should().BeEmpty();
    }

    [Theory]
    [InlineData("a.cs", "class C;\n\n/// <summary>An executor is\n/// told of it.</summary>", "a.cs:3: is told")]
    [InlineData("a.cs", "// Nobody waits.", "a.cs:1: Nobody")]
    [InlineData("a.cs", "var a = $\"{b} is no \"\n    + \"task.\";", "a.cs:1: is no task")]
    [InlineData("a.cs", "var a = \"\"\"\n    It goes on.\n    \"\"\";", "a.cs:2: goes on")]
    [InlineData("a.sql", "-- Carried\n-- out once.\nselect 1", "a.sql:1: Carried out")]
    [InlineData("a.md", "# Title\n| It | never comes |", "a.md:2: never comes")]
    [InlineData("a.cs", "/// <summary>\n/// What was sent.\n/// </summary>\nclass C;", "a.cs:1: <summary> What")]
    public void A_banned_phrase_is_found_with_its_place(string file, string text, string expected) =>
        Find(file, text).Should().ContainSingle().Which.Should().StartWith(expected + " → ");

    [Theory]
    [InlineData("a.cs", "var somebody = he.goes(on); // A task.")]
    [InlineData("a.cs", "// The claim is no longer held. There is no task.")]
    [InlineData("a.sql", "select his from her -- A row.")]
    public void Code_and_allowed_idioms_are_not_found(string file, string text) =>
        Find(file, text).Should().BeEmpty();

    private static IEnumerable<string> Files()
    {
        var everywhere = new EnumerationOptions { RecurseSubdirectories = true };
        var sources = Directory.EnumerateFiles(DocsTests.PathOf("src"), "*", everywhere)
            .Where(file => Path.GetExtension(file) is ".cs" or ".sql");
        return Directory.EnumerateFiles(DocsTests.PathOf("docs"), "*.md", everywhere)
            .Concat(sources)
            .Select(file => Path.GetRelativePath(DocsTests.Root, file).Replace('\\', '/'))
            .Where(file => !file.Split('/').Intersect(_madeByTools).Any())
            .Concat(_pages);
    }

    private static IEnumerable<string> Find(string file, string text)
    {
        var prose = Path.GetExtension(file) switch
        {
            ".cs" => ProseOfCode(text),
            ".sql" => ProseOfSql(text),
            _ => text,
        };
        return from banned in _banned
               from hit in banned.Pattern.Matches(prose)
               orderby hit.Index
               let line = prose.AsSpan(0, hit.Index).Count('\n') + 1
               let phrase = string.Join(' ', hit.Value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
               select $"{file}:{line}: {phrase} → {banned.Better}";
    }

    /// <summary>
    /// The text with everything but comments and strings replaced by zeros, so that lines keep their numbers. White
    /// space and the signs between the parts of a concatenated string become blanks.
    /// </summary>
    private static string ProseOfCode(string code)
    {
        var prose = new string('\0', code.Length).ToCharArray();
        var tree = CSharpSyntaxTree.ParseText(code);
        var root = tree.GetRoot();
        foreach (var trivia in root.DescendantTrivia())
        {
            var isComment = !trivia.IsKind(SyntaxKind.WhitespaceTrivia) && !trivia.IsKind(SyntaxKind.EndOfLineTrivia)
                && !trivia.IsKind(SyntaxKind.DisabledTextTrivia) && !trivia.IsDirective;
            Copy(trivia.FullSpan, isComment ? "/*" : "");
        }

        foreach (var token in root.DescendantTokens())
        {
            switch (token.Kind())
            {
                case SyntaxKind.StringLiteralToken or SyntaxKind.InterpolatedStringTextToken
                    or SyntaxKind.SingleLineRawStringLiteralToken or SyntaxKind.MultiLineRawStringLiteralToken:
                    Copy(token.Span, "\"");
                    break;
                case SyntaxKind.PlusToken or SyntaxKind.InterpolatedStringStartToken
                    or SyntaxKind.InterpolatedStringEndToken:
                    Copy(token.Span, "+$@\"");
                    break;
            }
        }

        return new string(prose);

        void Copy(TextSpan span, string blanks)
        {
            for (var i = span.Start; i < span.End; i++)
            {
                prose[i] = blanks.Contains(code[i], StringComparison.Ordinal) ? ' ' : code[i];
            }
        }
    }

    /// <summary>The same for SQL, whose comments end with their lines.</summary>
    private static string ProseOfSql(string sql)
    {
        var prose = new string('\0', sql.Length).ToCharArray();
        foreach (Match part in SqlProse.Matches(sql))
        {
            part.Value.Replace("--", "  ", StringComparison.Ordinal).CopyTo(prose.AsSpan(part.Index));
        }

        return new string(prose);
    }

    private static Regex SqlProse { get; } = new(@"--[^\n]*|'[^']*'|\s+", RegexOptions.None, TimeSpan.FromSeconds(10));

    /// <summary>A phrase that texts must not contain.</summary>
    private sealed class Banned(string pattern, string better)
    {
        public Regex Pattern { get; } = new(
            pattern.Replace(" ", @"\s+", StringComparison.Ordinal),
            RegexOptions.IgnoreCase | RegexOptions.CultureInvariant,
            TimeSpan.FromSeconds(10));

        public string Better => better;
    }
}
