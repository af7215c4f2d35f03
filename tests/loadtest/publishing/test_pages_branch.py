import json
from collections.abc import Callable, Iterator

import pytest

from include.loadtest.publishing import pages_branch, pages_index
from include.loadtest.publishing.delivery import Budget, DeliveryError
from include.loadtest.publishing.github import GitHubSettings, github_errors, repository
from include.loadtest.publishing.pages_branch import MAX_INLINE_BYTES, MOST_TRIES, Publication, publish
from include.loadtest.publishing.pages_index import IndexEntry
from tests.helpers.github_service import REPOSITORY, TOKEN, GitHubService, Trouble, github_service

pytestmark = pytest.mark.integration
BRANCH = "gh-pages"


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_branch, "_PAUSE_S", 0.0)


@pytest.fixture
def github() -> Iterator[GitHubService]:
    """A repository without a branch for pages; whatever is asked of it is a request that GitHub describes."""
    with github_service() as service:
        yield service
    assert service.faults == []


def publication(number: int, text: str = "{}", **fields: str) -> Publication:
    run_id = f"smoke-202601{1 + number // 24:02}-{number % 24:02}0000-abc123"
    entry = IndexEntry.checked({"run_id": run_id, "profile": "smoke", **fields})
    assert entry is not None
    return Publication(
        entry, {"index.html": f"<p>{number}</p>", "verdict.json": text, "load_test_plot.png": b"\x89PNG"}
    )


def published(github: GitHubService, one: Publication, branch: str = BRANCH) -> bool:
    settings = GitHubSettings.checked(TOKEN, REPOSITORY, github.url)
    with github_errors():
        return publish(repository(settings, Budget(60.0, 10.0)), branch, one)


def other_writer(github: GitHubService, path: str, content: str = "other") -> None:
    """Somebody else adds a file to the branch."""
    git = github.git
    head = git.refs.get(f"heads/{BRANCH}")
    item = {"path": path, "mode": "100644", "type": "blob", "content": content}
    tree = git.add_tree([item], git.commits[head].tree if head else None)
    commit = git.add_commit(tree, [head] if head else [], "Other")
    if head:
        git.move_ref(f"heads/{BRANCH}", commit)
    else:
        git.add_ref(f"refs/heads/{BRANCH}", commit)


def before(github: GitHubService, operation: str, act: Callable[[], object], times: int = 1) -> None:
    """Let `act` happen right before the first `times` requests of the operation are carried out."""
    look_up, left = github.trouble, [times]

    def first(name: str) -> Trouble:
        if name == operation and left[0]:
            left[0] -= 1
            act()
        return look_up(name)

    github.trouble = first  # type: ignore[method-assign]


def runs(github: GitHubService) -> set[str]:
    """The folders of the site."""
    return {path.split("/")[1] for path in github.git.content(BRANCH) if path.count("/") == 2}


def listed(github: GitHubService) -> list[str]:
    """The run ids of index.json, in its order."""
    document = json.loads(github.git.content(BRANCH)["load-tests/index.json"])
    return [line["run_id"] for line in document["runs"]]


def test_the_first_publication_makes_the_branch(github: GitHubService) -> None:
    """A commit without a parent, that has nothing of the repository's other branches."""
    one = publication(1)
    assert published(github, one)
    name = one.entry.run_id
    files = {f"load-tests/{name}/{file}" for file in one.files} | {"load-tests/index.html", "load-tests/index.json"}
    content = github.git.content(BRANCH)
    assert set(content) == files | {".nojekyll"}
    assert content[f"load-tests/{name}/load_test_plot.png"] == b"\x89PNG"
    [commit] = github.git.history(BRANCH)
    assert github.git.commits[commit].parents == ()


def test_the_next_one_is_added_on_top(github: GitHubService) -> None:
    """What is there stays: the other run, and the files of somebody else; one commit, ten calls."""
    other_writer(github, "CNAME")
    other_writer(github, "load-tests/assets/logo.svg")
    published(github, publication(1))
    github.seen.clear()
    assert published(github, publication(2))
    content = github.git.content(BRANCH)
    assert content["CNAME"] == content["load-tests/assets/logo.svg"] == b"other"
    assert listed(github) == [publication(number).entry.run_id for number in (2, 1)]
    assert runs(github) == {*listed(github), "assets"}
    assert len(github.git.history(BRANCH)) == 4
    assert len(github.seen) == 10


def test_a_run_that_is_published_again_replaces_its_files(github: GitHubService) -> None:
    """And its line in the list."""
    published(github, publication(1, verdict="PASS"))
    published(github, publication(2))
    again = Publication(publication(1, verdict="REGRESSION").entry, {"index.html": "new"})
    assert published(github, again)
    content = github.git.content(BRANCH)
    folder = f"load-tests/{again.entry.run_id}/"
    assert {path: text for path, text in content.items() if path.startswith(folder)} == {f"{folder}index.html": b"new"}
    document = json.loads(content["load-tests/index.json"])
    assert [line["verdict"] for line in document["runs"]] == [None, "REGRESSION"]


def test_a_publication_that_is_there_already_makes_no_commit(github: GitHubService) -> None:
    """As after an answer that was lost."""
    github.troubles["git/update-ref"] = Trouble(is_processed=True, is_cut=True, times=1)
    published(github, publication(1))
    with pytest.raises(DeliveryError) as caught:
        published(github, publication(2))
    assert caught.value.may_have_arrived
    commits = github.git.history(BRANCH)
    assert published(github, publication(2))
    assert github.git.history(BRANCH) == commits
    assert len(listed(github)) == 2


def test_the_oldest_run_leaves_with_the_commit_that_adds_one_too_many(
    github: GitHubService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder and its line; one that is itself too old is not published."""
    monkeypatch.setattr(pages_index, "MOST_RUNS", 3)
    for number in range(4):
        assert published(github, publication(number))
    expected = [publication(number).entry.run_id for number in (3, 2, 1)]
    assert listed(github) == expected
    assert runs(github) == set(expected)
    assert len(github.git.history(BRANCH)) == 4
    assert not published(github, publication(0))
    assert len(github.git.history(BRANCH)) == 4


def test_a_conflict_is_resolved_on_the_new_head(github: GitHubService) -> None:
    """Another run was published in between: both stay, the history has no fork, the run's files are sent once."""
    published(github, publication(1))
    before(github, "git/update-ref", lambda: published(github, publication(3)))
    assert published(github, publication(2))
    assert listed(github) == [publication(number).entry.run_id for number in (3, 2, 1)]
    assert runs(github) == set(listed(github))
    assert [len(github.git.commits[sha].parents) for sha in github.git.history(BRANCH)] == [1, 1, 0]
    assert github.count("git/create-blob") == 3


def test_a_branch_that_another_has_just_made_is_used(github: GitHubService) -> None:
    """The race for the first commit is a conflict like any other."""
    before(github, "git/create-ref", lambda: other_writer(github, "CNAME"))
    assert published(github, publication(1))
    assert {"CNAME", f"load-tests/{publication(1).entry.run_id}/index.html"} <= set(github.git.content(BRANCH))
    assert len(github.git.history(BRANCH)) == 2


def test_a_branch_that_never_rests_is_tried_again_later(github: GitHubService) -> None:
    """A bounded number of tries, nothing by force, nothing of the others lost."""
    published(github, publication(1))
    written = iter(range(100))
    before(github, "git/update-ref", lambda: other_writer(github, f"other-{next(written)}"), times=100)
    with pytest.raises(DeliveryError, match="others have written to it") as caught:
        published(github, publication(2))
    assert not caught.value.is_permanent
    assert not caught.value.is_service_wide
    assert github.count("git/update-ref") == MOST_TRIES
    assert {f"other-{number}" for number in range(MOST_TRIES)} <= set(github.git.content(BRANCH))
    assert listed(github) == [publication(1).entry.run_id]


@pytest.mark.parametrize(
    "index", ["", "{", '[{"run_id": "smoke-1", "verdict": ["x"]}]', '{"runs": [{"run_id": "../x"}]}', "x" * 1_000_001]
)
def test_a_damaged_list_loses_no_run(github: GitHubService, index: str) -> None:
    """The folders say which runs there are."""
    published(github, publication(1))
    other_writer(github, "load-tests/index.json", index)
    assert published(github, publication(2))
    assert listed(github) == [publication(number).entry.run_id for number in (2, 1)]


def test_what_github_refuses_is_told(github: GitHubService) -> None:
    """No try at another commit helps where the token may not write."""
    github.troubles["git/create-blob"] = Trouble(status=403)
    with pytest.raises(DeliveryError, match="check that the token has the permission"):
        published(github, publication(1))
    assert github.seen == ["git/create-blob"]


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize("status", [409, 422])
def test_a_branch_that_github_protects_is_no_conflict(github: GitHubService, is_new: bool, status: int) -> None:
    """Nobody has moved it, so another commit would be refused too: asked once, in GitHub's words, for pages only."""
    if not is_new:
        published(github, publication(1))
    refs, words = dict(github.git.refs), '{"message": "Cannot update this protected ref."}'
    github.troubles["git/create-ref" if is_new else "git/update-ref"] = Trouble(status, content=words)
    with pytest.raises(DeliveryError, match=rf"Cannot update this protected ref \(HTTP {status}\); let") as caught:
        published(github, publication(2))
    assert (caught.value.is_service_wide, caught.value.is_permanent) == (False, False)
    assert github.count("git/create-commit") == (1 if is_new else 2)
    assert github.git.refs == refs


@pytest.mark.parametrize("branch", ["main", "trunk"])
def test_the_branch_that_people_work_on_gets_no_reports(github: GitHubService, branch: str) -> None:
    """Whatever its name: also where it has a folder of that name of its own."""
    github.git.add_ref(f"refs/heads/{branch}", github.api.head) if branch != "main" else None
    look = github.api.repos_get
    github.api.repos_get = lambda **_: (200, look()[1] | {"default_branch": branch})  # type: ignore[method-assign]
    item = {"path": "load-tests/script.js", "mode": "100644", "type": "blob", "content": "x"}
    git = github.git
    git.move_ref(f"heads/{branch}", git.add_commit(git.add_tree([item]), [github.api.head], "Scripts"))
    refs = dict(git.refs)
    with pytest.raises(DeliveryError, match=f"{branch} is the repository's default branch") as caught:
        published(github, publication(1), branch)
    assert caught.value.is_permanent
    assert not caught.value.is_service_wide
    assert git.refs == refs


@pytest.mark.parametrize("content", ["{}", "[]", '{"sha": 7}', '{"message": "x"}'])
def test_an_answer_that_is_none_of_githubs_is_said(github: GitHubService, content: str) -> None:
    """A gateway answers 200 with a document of its own."""
    published(github, publication(1))
    for operation in ("repos/get-branch", "git/get-tree", "git/get-blob", "git/create-commit"):
        github.troubles = {operation: Trouble(200, content=content)}
        if (operation, content) == ("git/create-commit", '{"sha": 7}'):
            continue  # that is a name like any other
        with pytest.raises(DeliveryError, match="answer is unreadable"):
            published(github, publication(2))
    assert listed(github) == [publication(1).entry.run_id]


def test_a_large_text_is_sent_on_its_own(github: GitHubService) -> None:
    """Not in the request that names the folder's files; it arrives as it is, and so does a small one."""
    texts = {"large.html": "è" * (MAX_INLINE_BYTES // 2 + 1), "small.html": "è" * (MAX_INLINE_BYTES // 2)}
    one = Publication(publication(1).entry, texts)
    published(github, one)
    assert github.count("git/create-blob") == 1
    content = github.git.content(BRANCH)
    assert {name: content[f"load-tests/{one.entry.run_id}/{name}"].decode() for name in texts} == texts


def test_a_folder_that_is_not_listed_whole_is_not_written_anew(github: GitHubService) -> None:
    """What the listing leaves out would be lost."""
    published(github, publication(1))
    shown = github.api.git_get_tree
    github.api.git_get_tree = lambda **values: (200, shown(**values)[1] | {"truncated": True})
    with pytest.raises(DeliveryError, match="more files in one folder") as caught:
        published(github, publication(2))
    assert not caught.value.is_service_wide
    assert listed(github) == [publication(1).entry.run_id]


def test_a_picture_is_sent_as_it_is(github: GitHubService) -> None:
    """Bytes that are no text reach the branch unchanged."""
    raw = bytes(range(256))
    one = Publication(publication(1).entry, {"index.html": "è €", "load_test_plot.png": raw})
    published(github, one)
    folder = f"load-tests/{one.entry.run_id}"
    content = github.git.content(BRANCH)
    assert content[f"{folder}/load_test_plot.png"] == raw
    assert content[f"{folder}/index.html"].decode() == "è €"
